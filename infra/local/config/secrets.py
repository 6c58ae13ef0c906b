"""Passwords and keys of the stack, made on the first start, in files that only their owner reads."""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path

from infra.language import _
from infra.local.errors import StackError

SECRETS_FILE = "secrets.json"


def _key() -> str:
    return secrets.token_hex(32)


@dataclass(frozen=True)
class Secrets:
    """One value for each lock in the stack, all random, safe in URLs and configuration files."""

    django: str = field(default_factory=_key)
    postgres: str = field(default_factory=_key)  # of the role that owns the tables
    postgres_app: str = field(default_factory=_key)  # of the product's own role
    valkey: str = field(default_factory=_key)
    s3_access: str = field(default_factory=lambda: secrets.token_hex(10).upper())
    s3_secret: str = field(default_factory=_key)
    seaweedfs: str = field(default_factory=_key)
    model: str = field(default_factory=_key)
    metrics: str = field(default_factory=_key)
    flower: str = field(default_factory=lambda: secrets.token_urlsafe(12))

    @classmethod
    def load(cls, home: Path) -> "Secrets":
        """The secrets of the stack in `home`, made now where there are none.

        Raises:
            StackError: a file of them is damaged, or gone from beside data.
        """
        path = home / SECRETS_FILE
        try:
            saved = json.loads(path.read_text())
            if not isinstance(saved, dict) or not all(isinstance(value, str) for value in saved.values()):
                raise ValueError(_("it does not hold texts by name"))
        except FileNotFoundError:
            _check_new(path)
            saved = {}
        except ValueError as error:
            # New ones would open nothing that exists.
            raise StackError(
                _(
                    "%(path)s is damaged (%(error)s). Bring it back from a backup: `hematovision restore "
                    "--keys-to`."
                )
                % {"path": path, "error": error}
            ) from None
        known = {f.name for f in fields(cls)}
        made = cls(**{name: value for name, value in saved.items() if name in known})
        if asdict(made) != saved:
            write_private(path, json.dumps(asdict(made), indent=2))
        if not (keys := data_keys_file(home)).exists():
            _check_new(keys)
            write_private(keys, f"{new_data_key()}\n")
        return made


def _check_new(path: Path) -> None:
    """Raise StackError where there is a database already: what is in it would stay shut to new secrets."""
    if (path.parent / "postgres").exists():
        raise StackError(
            _("%(path)s is gone, without which the data beside it are of no use. Bring it back.")
            % {"path": path}
        )


def data_keys_file(home: Path) -> Path:
    """The keys that encrypt patient identifiers: a file of their own, which programs read as it changes."""
    return home / "data_keys"


def add_data_key(home: Path) -> str:
    """Put a new key before those of the stack in `home`; its programs take it up by themselves.

    Returns:
        Its id.

    Raises:
        StackError: there is no stack in `home`.
    """
    path = data_keys_file(home)
    try:
        older = path.read_text()
    except FileNotFoundError:
        raise StackError(
            _("There are no keys in %(path)s. `hematovision up` makes the first one.") % {"path": path}
        ) from None
    key = new_data_key()
    write_private(path, f"{key}\n{older}")
    return key.partition(":")[0]


def new_data_key() -> str:
    """A key as `HEMATOVISION_DATA_KEYS` takes it: an id that begins with the day, and 32 random bytes."""
    random = base64.b64encode(secrets.token_bytes(32)).decode()
    return f"{datetime.now(UTC):%Y-%m-%d}-{secrets.token_hex(3)}:{random}"


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
