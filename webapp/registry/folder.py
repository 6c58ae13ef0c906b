"""The folder that model servers read: ``<name>/<version>/``.

A version appears in it, and goes, by one rename. Names that begin with a dot are no models and no versions to
any server: there versions are copied to at first, and those taken from the servers are kept.
"""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.contract import MODEL_JSON
from serving.manifest import MANIFEST, digest, digests
from serving.model_config import CONFIG, model_config

_WITHDRAWN = ".withdrawn"
_DRAFT = ".draft-"


@dataclass(frozen=True)
class Draft:
    """A version that no server sees yet: where it is, its `model.json`, the SHA-256 of each of its files."""

    path: Path
    info: dict[str, Any]
    files: dict[str, str]

    def write_manifest(self, text: str) -> None:
        _write(self.path / MANIFEST, text)


class ModelRoot:
    """All models under one folder, which is made when something is first put there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> list[str]:
        """The models that have a version."""
        return sorted(name for name in self._folders(self.path) if self.versions(name))

    def versions(self, name: str) -> set[int]:
        """What servers find of a model."""
        return self._numbers(self.path / name)

    def withdrawn(self, name: str) -> set[int]:
        """What was taken from them."""
        return self._numbers(self.path / _WITHDRAWN / name)

    def folder(self, name: str, version: int) -> Path:
        return self.path / name / str(version)

    @contextmanager
    def draft(self, source: Path, name: str, version: int) -> Iterator["Draft"]:
        """A copy of a version folder under its new name and number, for `put_in`; else it is removed again.

        Raises OSError when it cannot be written.
        """
        # Of what is copied, not of the copy: others may write where that lies.
        files = digests(source)
        document = json.loads((source / MODEL_JSON).read_text(encoding="utf-8"))
        document |= {"name": name, "version": version}
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        files[MODEL_JSON] = digest(text.encode())
        parent = self.path / name
        parent.mkdir(parents=True, exist_ok=True)
        holder = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=parent))
        copy = holder / str(version)
        try:
            _copy(source, copy)
            _write(copy / MODEL_JSON, text)
            yield Draft(copy, document, files)
        finally:
            shutil.rmtree(holder, ignore_errors=True)

    def put_in(self, draft: "Draft", name: str, version: int) -> None:
        """Give a draft to the servers. Raises FileExistsError when they have that version."""
        _rename(draft.path, self.folder(name, version))

    def put_aside(self, name: str, version: int) -> None:
        """Take a version from the servers and keep it."""
        kept = self.path / _WITHDRAWN / name
        kept.mkdir(parents=True, exist_ok=True)
        _rename(self.folder(name, version), kept / str(version))

    def write_manifest(self, name: str, version: int, text: str) -> None:
        """Write a version's manifest, whole, and only if it changes."""
        _replace(self.folder(name, version) / MANIFEST, text)

    def clear_drafts(self) -> None:
        """Remove what interrupted commands left."""
        for draft in self.path.glob(f"*/{_DRAFT}*"):
            shutil.rmtree(draft, ignore_errors=True)

    def write_config(self, mount: str) -> None:
        """Write what tensorflow/serving reads as ``--model_config_file``, whole, and only if it changes.

        `mount` is where that server sees this folder.
        """
        _replace(self.path / CONFIG, model_config(self.names(), mount))

    @staticmethod
    def _folders(path: Path) -> list[str]:
        if not path.is_dir():
            return []
        return [child.name for child in path.iterdir() if child.is_dir() and not child.name.startswith(".")]

    def _numbers(self, path: Path) -> set[int]:
        names = (name for name in self._folders(path) if name.isascii() and name.isdecimal())
        return {int(name) for name in names if str(int(name)) == name}  # not 007, which servers pass over


def _replace(path: Path, text: str) -> None:
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    draft = path.with_name(f".{path.name}")
    _write(draft, text)
    draft.replace(path)


def _rename(source: Path, target: Path) -> None:
    # rename() itself would replace an empty folder.
    if target.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    source.rename(target)


def _copy(source: Path, target: Path) -> None:
    """Copy a folder with what is in it. Modes are not copied: the server may be someone else."""
    target.mkdir()
    for child in source.iterdir():
        if child.is_dir():
            _copy(child, target / child.name)
        else:
            shutil.copyfile(child, target / child.name)
            _sync(target / child.name)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    _sync(path)


def _sync(path: Path) -> None:
    """Have the file on disk before its folder is renamed, or the rename alone may outlive a power cut."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
