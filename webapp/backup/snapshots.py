"""A backup folder: snapshots that share one store of contents, and what makes a snapshot whole.

contents/ab/abcd…           files under the SHA-256 of their bytes: pictures, models
snapshots/20260131T120000Z/ database.dump, objects.jsonl, secrets.json where there is one, manifest.json and
                            manifest.mac, which vouches for all of them

Whoever else may write to the folder is not trusted: nothing in it is followed, and no name in it is believed.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webapp.backup import authentication

FORMAT, UNAUTHENTICATED = 2, 1  # the latter is of a release that wrote no MAC
DUMP, OBJECTS, SECRETS = "database.dump", "objects.jsonl", "secrets.json"
MANIFEST, MAC = "manifest.json", "manifest.mac"
_LONGEST_MANIFEST, _LONGEST_MAC, _LONGEST_LINE = 64 << 20, 1 << 10, 1 << 14  # bytes
_SHA256 = re.compile("[0-9a-f]{64}")
_NOT_WRITTEN = gettext_lazy("%(path)s is not what was written.")


class Damaged(Exception):
    """A snapshot is not what was written; the message names the file."""


class Busy(Exception):
    """Another backup into the same folder is under way."""


@dataclass(frozen=True)
class Manifest:
    """What a snapshot is of, and the SHA-256 of everything in it.

    Attributes:
        made_at: UTC, ISO 8601.
        schema: the migrations that the database had, as `app.name`.
        data_keys: ids of the keys without which its patients cannot be read.
        files: SHA-256 of the files beside the manifest, by name.
        models: SHA-256 of the files of model versions, by path.
        rows: how many cases and images it holds.
        name: of the snapshot; empty in those of a release that did not write it down.
    """

    made_at: str
    schema: list[str]
    data_keys: list[str]
    files: dict[str, str]
    models: dict[str, str]
    rows: dict[str, int]
    name: str = ""
    format: int = FORMAT

    @classmethod
    def parse(cls, text: bytes) -> "Manifest":
        """Read a manifest, and believe nothing of it that a restore could not use.

        Raises:
            ValueError: it is malformed, or names a file that could lie outside its folder.
        """
        found = json.loads(text)
        if not isinstance(found, dict) or found.get("format") not in (FORMAT, UNAUTHENTICATED):
            message = _("this version reads formats %(first)s and %(second)s")
            raise ValueError(message % {"first": UNAUTHENTICATED, "second": FORMAT})
        try:
            manifest = cls(**found)
        except TypeError as error:
            raise ValueError(str(error)) from None
        if not all(isinstance(text, str) for text in (manifest.made_at, manifest.name)):
            raise ValueError(_("a text is none"))
        if not all(_texts(texts) for texts in (manifest.schema, manifest.data_keys)):
            raise ValueError(_("a list of texts is none"))
        for named in (manifest.files, manifest.models):
            if not isinstance(named, dict) or not all(map(_is_sha256, named.values())):
                raise ValueError(_("what should be a SHA-256 is none"))
        if not {DUMP, OBJECTS} <= manifest.files.keys() <= {DUMP, OBJECTS, SECRETS}:
            message = _("it names other files than %(dump)s, %(objects)s and %(secrets)s")
            raise ValueError(message % {"dump": DUMP, "objects": OBJECTS, "secrets": SECRETS})
        for path in manifest.models:
            if not _stays_inside(path):
                message = _("it names a model's file outside the folder of models: %(path)r")
                raise ValueError(message % {"path": path})
        if not isinstance(manifest.rows, dict) or not {"cases", "images"} <= manifest.rows.keys():
            raise ValueError(_("it does not say how many rows there are"))
        return manifest


@dataclass(frozen=True)
class StoredObject:
    """One object of the store: what a row of the database names, or an anchor of the audit trail."""

    key: str
    version: str
    sha256: str
    size: int
    locked: bool = False

    @classmethod
    def parse(cls, line: bytes) -> "StoredObject":
        """Read a line of the list of objects.

        Raises:
            ValueError: it is malformed.
        """
        try:
            stored = cls(**json.loads(line))
        except TypeError as error:
            raise ValueError(str(error)) from None
        if not (_texts([stored.key, stored.version]) and stored.key and _is_sha256(stored.sha256)):
            raise ValueError(_("it names no object"))
        return stored


@dataclass(frozen=True)
class Contents:
    """Files under the SHA-256 of their bytes; the same bytes are kept once."""

    folder: Path

    def path(self, sha256: str) -> Path:
        return self.folder / "contents" / sha256[:2] / sha256

    def put(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path(sha256)
        if not path.exists():
            _make_folder(path.parent)
            # Under a name that nobody can foresee: a link that waits there would be written through.
            with NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as draft:
                draft.write(data)
            Path(draft.name).replace(path)
        return sha256

    def get(self, sha256: str) -> bytes:
        """The bytes.

        Raises:
            Damaged: they are missing or others.
        """
        path = self.path(sha256)
        with open_plain(path) as file:
            data = file.read()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise Damaged(_NOT_WRITTEN % {"path": path})
        return data


@dataclass(frozen=True)
class Snapshot:
    """One folder under `snapshots`, there only once it is whole."""

    path: Path
    contents: Contents = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "contents", Contents(self.path.parent.parent))

    @classmethod
    def begin(cls, folder: Path) -> "Snapshot":
        """A new one, whose name no reader takes for a snapshot until `finish`; only inside `exclusive`."""
        for left_behind in folder.glob("snapshots/*.partial"):
            left_behind.unlink() if left_behind.is_symlink() else shutil.rmtree(left_behind)
        for part in ("contents", "snapshots"):  # pictures lie there in the clear
            _make_folder(folder / part)
        path = folder / "snapshots" / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.partial"
        path.mkdir(mode=0o700)
        return cls(path)

    @classmethod
    def latest(cls, folder: Path) -> "Snapshot | None":
        whole = sorted(path for path in folder.glob("snapshots/*Z") if path.is_dir())
        return cls(whole[-1]) if whole else None

    def finish(self, **facts: Any) -> "Snapshot":
        """Write the manifest and its MAC, and give the snapshot its name."""
        whole = self.path.with_suffix("")
        files = {path.name: sha256_of(path) for path in sorted(self.path.iterdir())}
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = Manifest(made_at=made_at, files=files, name=whole.name, **facts)
        text = json.dumps(asdict(manifest), indent=1).encode()
        (self.path / MANIFEST).write_bytes(text)
        (self.path / MAC).write_text(authentication.sign(text))
        self.path.rename(whole)
        return Snapshot(whole)

    def manifest(self, *, authenticated: bool = True) -> Manifest:
        """What it says of itself.

        Args:
            authenticated: whether its MAC must say that this installation made it.

        Raises:
            Damaged: there is no manifest, none that this version reads, or one that nobody vouches for.
        """
        path = self.path / MANIFEST
        text = _read(path, _LONGEST_MANIFEST)
        if authenticated:
            self._authenticate(text)
        try:
            manifest = Manifest.parse(text)
        except (ValueError, RecursionError) as error:
            message = _("%(path)s is no manifest: %(error)s.")
            raise Damaged(message % {"path": path, "error": error}) from error
        if authenticated and manifest.name != self.path.name:
            message = _("%(path)s was made under another name, %(name)s.")
            raise Damaged(message % {"path": self.path, "name": manifest.name})
        return manifest

    def objects(self, manifest: Manifest) -> Iterator[StoredObject]:
        """What its list of objects says, as it is read; only who comes to its end has read what was written.

        Raises:
            Damaged: the list is not what the manifest says, at its end at the latest.
        """
        path = self.path / OBJECTS
        digest = hashlib.sha256()
        with open_plain(path) as lines:
            while line := lines.readline(_LONGEST_LINE):
                digest.update(line)
                try:
                    yield StoredObject.parse(line)
                except (ValueError, RecursionError) as error:
                    message = _("%(path)s is not what was written: %(error)s.")
                    raise Damaged(message % {"path": path, "error": error}) from error
        if digest.hexdigest() != manifest.files[OBJECTS]:
            raise Damaged(_NOT_WRITTEN % {"path": path})

    def verify(self, manifest: Manifest) -> None:
        """Read every byte of it.

        Raises:
            Damaged: something is missing or is not what was written.
        """
        for name, sha256 in manifest.files.items():
            if sha256_of(self.path / name) != sha256:
                raise Damaged(_NOT_WRITTEN % {"path": self.path / name})
        for sha256 in manifest.models.values():
            self.contents.get(sha256)
        for stored in self.objects(manifest):
            self.contents.get(stored.sha256)

    def _authenticate(self, text: bytes) -> None:
        if not (self.path / MAC).exists():
            message = _(
                "%(path)s has no %(mac)s, so that nobody vouches for it. Unless it was made by a release "
                "before this one and has been where only you can write, somebody else may have made it: "
                "restoring it runs what is in it. --unauthenticated does so all the same."
            )
            raise Damaged(message % {"path": self.path, "mac": MAC})
        try:
            authentication.check(text, _read(self.path / MAC, _LONGEST_MAC))
        except authentication.NotAuthentic as error:
            message = _("%(path)s is not a snapshot of this installation: %(error)s.")
            raise Damaged(message % {"path": self.path, "error": error}) from error


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Be the only one who makes a snapshot in a folder, as far as its file system has locks.

    Raises:
        Busy: somebody else does.
    """
    with os.fdopen(os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = _("Another backup into %(folder)s is under way.")
            raise Busy(message % {"folder": folder}) from None
        except OSError:  # a share without locks
            pass
        yield


def open_plain(path: Path) -> BufferedReader:
    """Open a plain file for reading: no link, no device, no pipe that would never end.

    Raises:
        Damaged: it is something else, or cannot be read.
    """
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
    except OSError as error:
        message = _("%(path)s cannot be read: %(error)s.")
        raise Damaged(message % {"path": path, "error": error.strerror}) from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise Damaged(_("%(path)s is no plain file.") % {"path": path})
    return file


def sha256_of(path: Path) -> str:
    """SHA-256 of a plain file, in hexadecimal.

    Raises:
        Damaged: it cannot be read.
    """
    with open_plain(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path, longest: int) -> bytes:
    with open_plain(path) as file:
        text = file.read(longest + 1)
    if len(text) > longest:
        raise Damaged(_("%(path)s is longer than any that was written.") % {"path": path})
    return text


def _make_folder(path: Path) -> None:
    path.mkdir(mode=0o700, exist_ok=True)
    if path.is_symlink():
        message = _("%(path)s is a link; what is written there would be elsewhere.")
        raise Damaged(message % {"path": path})


def _texts(found: object) -> bool:
    return isinstance(found, list) and all(isinstance(text, str) for text in found)


def _is_sha256(found: object) -> bool:
    return isinstance(found, str) and _SHA256.fullmatch(found) is not None


def _stays_inside(name: str) -> bool:
    """Whether a name, as `str(relative path)` writes it, is of a file below the folder it is relative to."""
    path = PurePosixPath(name)
    plain = str(path) == name and bool(path.name) and "\0" not in name
    return plain and not path.is_absolute() and ".." not in path.parts
