"""The keys that are in use."""

import os
from datetime import date, timedelta

import pytest

from tests.support.data_keys import NEW, OLD
from webapp.crypto import keyring as keyring_module
from webapp.crypto.keyring import current_key_age, keyring


def test_keys_in_a_file_are_read_again_as_it_changes(settings, tmp_path):
    file = tmp_path / "keys"
    file.write_text(f"{OLD}\n")
    settings.DATA_KEYS_FILE = file
    assert keyring().current.id == "2025-01-31-aaaaaa"
    file.write_text(f"{NEW}\n{OLD}\n")
    assert [key.id for key in keyring()] == ["2026-01-31-aaaaaa", "2025-01-31-aaaaaa"]


@pytest.mark.parametrize("spoil", [lambda file: file.write_text("half a k"), os.unlink], ids=["half", "gone"])
def test_a_spoiled_key_file_leaves_the_keys_and_is_logged(settings, tmp_path, caplog, spoil):
    file = tmp_path / "keys"
    file.write_text(NEW)
    settings.DATA_KEYS_FILE = file
    assert keyring().current.id == "2026-01-31-aaaaaa"
    spoil(file)
    assert keyring().current.id == "2026-01-31-aaaaaa"
    assert "data keys cannot be read again" in caplog.text


def test_the_age_of_the_current_key():
    assert current_key_age(date(2025, 3, 2)) == timedelta(days=30)
    assert keyring_module.current_key_age() > timedelta(days=30)
