"""The keyring of this installation, as the settings or the file they name have it now."""

import os
from datetime import date, timedelta
from pathlib import Path
from threading import Lock

import structlog
from django.conf import settings
from django.utils import timezone

from webapp.crypto.keys import InvalidKeys, Keyring

log = structlog.get_logger(__name__)

_lock = Lock()
_read: tuple[object, Keyring] | None = None  # what it was read from, and what that was


def keyring() -> Keyring:
    """The keys now.

    Keys from a file are read again when the file changes, so that a new key needs no restart; a file that
    cannot be read or understood leaves the keys as they are, and is logged.
    """
    global _read
    path: Path | None = settings.DATA_KEYS_FILE
    known = _read
    source = _state(path) if path else settings.DATA_KEYS
    if known is not None and known[0] == source:
        return known[1]
    with _lock:
        try:
            keys = Keyring.parse(path.read_text() if path else settings.DATA_KEYS)
        except (OSError, InvalidKeys) as error:
            keys = known[1] if known else Keyring.parse(settings.DATA_KEYS)
            log.error("data keys cannot be read again", file=str(path), error=str(error))
        _read = (source, keys)
    return keys


def current_key_age(today: date | None = None) -> timedelta:
    """How long ago the current key was made, in whole days."""
    return (today or timezone.now().date()) - keyring().current.made


def _state(path: Path) -> object:
    try:
        found = os.stat(path)  # noqa: PTH116 - twice as quick as Path.stat, and asked for every value
    except OSError as error:
        return error.errno
    return found.st_mtime_ns, found.st_size, found.st_ino
