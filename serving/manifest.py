"""What a registered version consists of: `manifest.json` in its folder, signed by whoever publishes.

A model server has no database to ask. It believes a version whose files have the SHA-256 that its manifest
says, and a manifest that was signed (Ed25519, RFC 8032) with the publisher's key, of which it knows the
public half. So whoever may write the folder of models, and does not hold that key, cannot have another model
answer. They can take versions away, or bring back one that was withdrawn; every answer names its version.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from serving.contract import ModelFolderError

MANIFEST: Final = "manifest.json"

Files = Mapping[str, str]
"""SHA-256 in hexadecimal by path in the version's folder, with slashes."""


class Publisher:
    """Signs manifests.

    Raises:
        ValueError: `key` is not 32 bytes in hexadecimal.
    """

    def __init__(self, key: str) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key))

    @property
    def public(self) -> str:
        """What model servers are given, in hexadecimal."""
        return self._key.public_key().public_bytes_raw().hex()

    def manifest(self, name: str, version: int, files: Files) -> str:
        """The text of the file; the same for the same version."""
        said = {"name": name, "version": version, "files": dict(sorted(files.items()))}
        return json.dumps({**said, "signature": self._key.sign(_bytes(said)).hex()}, indent=2) + "\n"


class Verifier:
    """Believes one publisher.

    Raises:
        ValueError: `public` is not what `Publisher.public` gives.
    """

    def __init__(self, public: str) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public.strip()))

    @classmethod
    def load(cls, file: Path) -> Self:
        """With the key in a file. Raises OSError when it cannot be read, ValueError when it is none."""
        return cls(file.read_text(encoding="ascii"))

    def files(self, folder: Path, name: str, version: int) -> Files:
        """What the version folder must hold, by its manifest.

        Raises ModelFolderError when there is none, or it is not the publisher's, or another version's.
        """
        path = folder / MANIFEST
        try:
            said: dict[str, Any] = json.loads(path.read_bytes())
            signature = bytes.fromhex(said.pop("signature"))
            self._key.verify(signature, _bytes(said))
        except FileNotFoundError:
            raise ModelFolderError(f"{folder} was not published: it has no {MANIFEST}") from None
        except OSError as error:
            raise ModelFolderError(f"{path} cannot be read: {error.strerror}") from error
        except (InvalidSignature, AttributeError, KeyError, TypeError, ValueError):
            raise ModelFolderError(f"{path} was not signed by the publisher of this installation") from None
        if (said["name"], said["version"]) != (name, version):
            raise ModelFolderError(f"{path} is of {said['name']} {said['version']}, not of {name} {version}")
        files: Files = said["files"]
        return files


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def digests(folder: Path) -> dict[str, str]:
    """Those of all files in a version folder but its manifest. Raises OSError."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    files.pop(MANIFEST, None)
    found = {}
    for name, path in sorted(files.items()):
        with path.open("rb") as file:
            found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def check(folder: Path, files: Files) -> None:
    """Raises ModelFolderError unless `folder` holds exactly `files`, and its manifest."""
    try:
        found = digests(folder)
    except OSError as error:
        raise ModelFolderError(f"{folder} cannot be read: {error.strerror}") from error
    differing = sorted(name for name in found.keys() | files.keys() if found.get(name) != files.get(name))
    if differing:
        raise ModelFolderError(f"{folder} is not as it was published: {', '.join(differing)}")


def check_content(path: Path, content: bytes, files: Files) -> None:
    """Raises ModelFolderError unless `content` is what the version's file at `path` is to hold."""
    if files.get(path.name) != digest(content):
        raise ModelFolderError(f"{path} is not as it was published")


def _bytes(said: Mapping[str, Any]) -> bytes:
    """What is signed: the same for the same meaning."""
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
