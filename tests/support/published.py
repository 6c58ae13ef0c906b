"""Versions as `hematovision model publish` leaves them in the model servers' folder."""

from pathlib import Path
from typing import Any

from serving.manifest import MANIFEST, Publisher, digests
from tests.support.tiny_model import make_version

PUBLISHER = Publisher("01" * 32)
STRANGER = Publisher("02" * 32)


def sign(
    folder: Path, *, by: Publisher = PUBLISHER, name: str | None = None, version: int | None = None
) -> None:
    """Write the manifest of a version folder, as its own or as another version's."""
    manifest = by.manifest(name or folder.parent.name, version or int(folder.name), digests(folder))
    (folder / MANIFEST).write_text(manifest)


def publish(base: Path, version: int = 1, *, by: Publisher = PUBLISHER, **changes: Any) -> Path:
    """A signed version in `base`, the folder of its model."""
    folder = make_version(base, version, **changes)
    sign(folder, by=by)
    return folder
