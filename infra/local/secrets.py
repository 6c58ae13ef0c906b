"""Passwords and keys of the stack, made on the first start, in one file that only its owner reads."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path


def _key() -> str:
    return secrets.token_hex(32)


@dataclass(frozen=True)
class Secrets:
    """One value for each lock in the stack, all random, safe in URLs and configuration files."""

    django: str = field(default_factory=_key)
    postgres: str = field(default_factory=_key)
    valkey: str = field(default_factory=_key)
    s3_access: str = field(default_factory=lambda: secrets.token_hex(10).upper())
    s3_secret: str = field(default_factory=_key)
    seaweedfs: str = field(default_factory=_key)
    flower: str = field(default_factory=lambda: secrets.token_urlsafe(12))

    @classmethod
    def load(cls, home: Path) -> "Secrets":
        """The secrets of the stack in `home`, made now where there are none."""
        path = home / "secrets.json"
        try:
            saved = json.loads(path.read_text())
        except FileNotFoundError:
            saved = {}
        known = {f.name for f in fields(cls)}
        made = cls(**{name: value for name, value in saved.items() if name in known})
        if asdict(made) != saved:
            write_private(path, json.dumps(asdict(made), indent=2))
        return made


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
