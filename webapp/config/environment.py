"""Reading settings strictly: what is missing, contradictory or misspelt stops the start in one line."""

import atexit
import difflib
import gc
import os
import sys
from typing import Any

import dj_database_url
import django
from django.core.exceptions import ImproperlyConfigured
from environs import EnvError, FileAwareEnv

from webapp.crypto.keys import InvalidKeys, Keyring

PREFIX = "HEMATOVISION_"
# Read by the command line and the one-machine stack, which pass them on with their environment.
ELSEWHERE = {
    *("HOME", "HOST", "PUBLIC_HOST", "WEB_PORT", "BASE_PORT", "PLAIN_HTTP", "PROGRAM", "TRAINING_PYTHON"),
    *("CERTIFICATE", "CERTIFICATE_KEY", "URL", "CA", "TOKEN", "PASSWORD", "PASSPHRASE"),
}
SECRET_KEY_LENGTH, SECRET_KEY_LETTERS = 50, 5  # as Django's own deployment check asks


# Commands that make or change tables, and so act as the role that owns them.
_OWNERS = {"migrate", "restore_backup"}


def set_up(command: str = "") -> None:
    """Make Django ready, or end the program with one line that names the setting at fault.

    Args:
        command: a management command; whichever needs no table changed forgets how to be their owner.
    """
    if command and command not in _OWNERS:
        for name in ("DATABASE_OWNER_URL", "DATABASE_OWNER_URL_FILE"):
            os.environ.pop(PREFIX + name, None)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.config.settings")
    gc.disable()
    try:
        django.setup()
    except (EnvError, ImproperlyConfigured) as error:
        sys.exit(f"HematoVision cannot start: {error}")
    finally:
        gc.enable()
    # What is loaded stays. To look through it for garbage, now and then and once more at the end, is a third
    # of what starting and stopping a program costs; and it would copy the pages that forked processes share.
    gc.freeze()
    atexit.register(gc.freeze)


class StrictEnv(FileAwareEnv):
    """Reads `HEMATOVISION_<NAME>`, or the file that `HEMATOVISION_<NAME>_FILE` names, but never both.

    What is empty counts as not set: compose files pass on variables that nobody gave a value.
    """

    def __init__(self) -> None:
        super().__init__(prefix=PREFIX, strip_whitespace=True)

    def _get_value(self, env_key: str, default: Any) -> Any:
        in_file = f"{env_key}{self.file_suffix}"
        if os.environ.get(env_key) and os.environ.get(in_file):
            raise EnvError(f"{env_key} and {in_file} are both set. Keep one of them.")
        try:
            value = super()._get_value(env_key, default)
        except ValueError as error:  # the file cannot be read
            raise EnvError(str(error)) from None
        return default if value == "" else value

    def check_names(self) -> None:
        """Look for settings that nothing reads, once all have been read.

        One that is close to a known name is a slip, and stops the start. Any other is named on the standard
        error output and left alone: it may belong to a newer version that was rolled back.

        Raises:
            EnvError: a name is misspelt.
        """
        known = {*self._fields, *(PREFIX + name for name in ELSEWHERE)}
        unset = sorted(name for name in known if not self._is_set(name))
        for name in sorted(os.environ):
            bare = name.removesuffix(self.file_suffix)
            if not name.startswith(PREFIX) or bare in known:
                continue
            if close := difflib.get_close_matches(bare, unset, n=1, cutoff=0.92):
                raise EnvError(f"There is no setting {name}. Did you mean {close[0]}?")
            print(f"There is no setting {name}; it changes nothing.", file=sys.stderr)  # noqa: T201

    def _is_set(self, name: str) -> bool:
        return name in os.environ or f"{name}{self.file_suffix}" in os.environ


def strong_secret(key: str) -> str:
    """Raise ImproperlyConfigured for a secret key that can be guessed; else return it."""
    if len(key) < SECRET_KEY_LENGTH or len(set(key)) < SECRET_KEY_LETTERS or "insecure" in key:
        raise ImproperlyConfigured(
            f"{PREFIX}SECRET_KEY can be guessed: give it {SECRET_KEY_LENGTH} or more random characters."
        )
    return key


def data_keys(text: str) -> str:
    """Raise ImproperlyConfigured for data keys that cannot be used; else return them."""
    try:
        Keyring.parse(text)
    except InvalidKeys as error:
        raise ImproperlyConfigured(f"{PREFIX}DATA_KEYS cannot be used: {error}.") from None
    return text


def owner_database(url: str) -> dict[str, Any]:
    """Raise ImproperlyConfigured for a URL that cannot be used; else return what Django makes of it."""
    try:
        return dict(dj_database_url.parse(url))
    except ValueError:  # its message may hold the password
        raise ImproperlyConfigured(f"{PREFIX}DATABASE_OWNER_URL is not a valid database URL.") from None
