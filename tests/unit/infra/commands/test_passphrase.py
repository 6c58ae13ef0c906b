"""Secrets under a passphrase."""

import json

import pytest

from infra.commands import passphrase as vault
from infra.local.errors import StackError

FILES = {"secrets.json": '{"django": "planted"}', "data_keys": "2026-01-31-aaaaaa:planted"}
PASSPHRASE = "correct horse battery"


@pytest.fixture(scope="module")
def locked() -> str:
    return vault.lock(FILES, PASSPHRASE)


def test_the_passphrase_opens_them(locked):
    assert vault.unlock(locked, PASSPHRASE) == FILES


def test_nothing_of_them_shows(locked):
    assert "planted" not in locked
    assert "django" not in locked


def test_another_passphrase_does_not(locked):
    with pytest.raises(StackError, match="does not open"):
        vault.unlock(locked, PASSPHRASE + "!")


@pytest.mark.parametrize("name", ["ciphertext", "nonce", "salt"])
def test_what_was_altered_does_not_open(locked, name):
    altered = json.loads(locked)
    altered[name] = altered[name].swapcase()
    with pytest.raises(StackError, match="does not open"):
        vault.unlock(json.dumps(altered), PASSPHRASE)


def test_a_short_passphrase_is_refused():
    with pytest.raises(StackError, match="12 or more"):
        vault.lock(FILES, "short")
