"""Secrets under a passphrase."""

import json

import pytest

from infra.commands.passphrase import decrypt, encrypt
from infra.local.errors import StackError

FILES = {"secrets.json": '{"django": "planted"}', "data_keys": "2026-01-31-aaaaaa:planted"}
PASSPHRASE = "correct horse battery"


@pytest.fixture(scope="module")
def encrypted() -> str:
    return encrypt(FILES, PASSPHRASE)


def test_the_passphrase_opens_them(encrypted):
    assert decrypt(encrypted, PASSPHRASE) == FILES


def test_nothing_of_them_shows(encrypted):
    assert "planted" not in encrypted
    assert "django" not in encrypted


def test_another_passphrase_does_not(encrypted):
    with pytest.raises(StackError, match="does not open"):
        decrypt(encrypted, PASSPHRASE + "!")


@pytest.mark.parametrize("name", ["ciphertext", "nonce", "salt"])
def test_what_was_altered_does_not_open(encrypted, name):
    altered = json.loads(encrypted)
    altered[name] = altered[name].swapcase()
    with pytest.raises(StackError, match="does not open"):
        decrypt(json.dumps(altered), PASSPHRASE)


def test_a_short_passphrase_is_invalid():
    with pytest.raises(StackError, match="12 or more"):
        encrypt(FILES, "short")
