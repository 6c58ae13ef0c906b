"""A backup folder: snapshots that share one store of contents, and what makes a snapshot whole.

contents/ab/abcd…           files under the SHA-256 of their bytes: pictures, models
snapshots/20260131T120000Z/ database.dump, objects.jsonl, secrets.json where there is one, manifest.json
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FORMAT = 1
DUMP, OBJECTS, SECRETS, MANIFEST = "database.dump", "objects.jsonl", "secrets.json", "manifest.json"
_BLOCK = 1 << 20


class Damaged(Exception):
    """A snapshot is not what was written; the message names the file."""


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
    """

    made_at: str
    schema: list[str]
    data_keys: list[str]
    files: dict[str, str]
    models: dict[str, str]
    rows: dict[str, int]
    format: int = FORMAT


@dataclass(frozen=True)
class StoredObject:
    """One object of the store: what a row of the database names, or an anchor of the audit trail."""

    key: str
    version: str
    sha256: str
    size: int
    sealed: bool = False


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
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(".new")
            draft.write_bytes(data)
            draft.replace(path)
        return sha256

    def get(self, sha256: str) -> bytes:
        """The bytes.

        Raises:
            Damaged: they are missing or others.
        """
        path = self.path(sha256)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise Damaged(f"{path} cannot be read: {error.strerror}.") from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise Damaged(f"{path} is not what was written.")
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
        """A new one, under a name that no reader takes for a snapshot until `finish`."""
        for left_behind in folder.glob("snapshots/*.partial"):
            shutil.rmtree(left_behind)
        for part in ("contents", "snapshots"):  # pictures lie there in the clear
            (folder / part).mkdir(mode=0o700, exist_ok=True)
        path = folder / "snapshots" / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.partial"
        path.mkdir(mode=0o700)
        return cls(path)

    @classmethod
    def latest(cls, folder: Path) -> "Snapshot | None":
        whole = sorted(path for path in folder.glob("snapshots/*Z") if path.is_dir())
        return cls(whole[-1]) if whole else None

    def finish(self, **facts: Any) -> "Snapshot":
        """Write the manifest, and give the snapshot its name."""
        files = {path.name: sha256_of(path) for path in sorted(self.path.iterdir())}
        manifest = Manifest(made_at=datetime.now(UTC).isoformat(timespec="seconds"), files=files, **facts)
        (self.path / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1))
        whole = self.path.with_suffix("")
        self.path.rename(whole)
        return Snapshot(whole)

    def manifest(self) -> Manifest:
        """What it says of itself.

        Raises:
            Damaged: there is no manifest, or none of a format that this version reads.
        """
        try:
            found = json.loads((self.path / MANIFEST).read_text())
            if found["format"] != FORMAT:
                raise Damaged(f"{self.path} has format {found['format']}; this version reads {FORMAT}.")
            return Manifest(**found)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Damaged(f"{self.path / MANIFEST} is no manifest: {error}") from error

    def objects(self) -> Iterator[StoredObject]:
        with (self.path / OBJECTS).open() as lines:
            for line in lines:
                yield StoredObject(**json.loads(line))

    def verify(self) -> None:
        """Read every byte of it.

        Raises:
            Damaged: something is missing or is not what was written.
        """
        manifest = self.manifest()
        for name, sha256 in manifest.files.items():
            path = self.path / name
            if not path.is_file() or sha256_of(path) != sha256:
                raise Damaged(f"{path} is missing, or is not what was written.")
        for sha256 in manifest.models.values():
            self.contents.get(sha256)
        for stored in self.objects():
            self.contents.get(stored.sha256)


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
