"""Keys, cipher and keyed hashes, without a database."""

import base64
import os
import uuid
from datetime import date, timedelta

import pytest

from webapp.crypto import cipher
from webapp.crypto import keyring as keyring_module
from webapp.crypto.cipher import Place, Sealed, Unreadable, keyed_hashes, seal, unseal
from webapp.crypto.keyring import current_key_age, keyring
from webapp.crypto.keys import InvalidKeys, Keyring

LAB = uuid.UUID(int=1)
HERE = Place("cases_patient", "name", LAB, "7")


def key(day: str = "2026-01-31", byte: int = 1) -> str:
    return f"{day}-aaaaaa:{base64.b64encode(bytes([byte]) * 32).decode()}"


OLD, NEW = key("2025-01-31", 1), key("2026-01-31", 2)


@pytest.fixture(autouse=True)
def one_key(settings):
    settings.DATA_KEYS, settings.DATA_KEYS_FILE = OLD, None


def test_what_is_sealed_is_read_again():
    assert unseal(seal("Ada Lovelace", HERE), HERE) == "Ada Lovelace"
    assert unseal(seal("", HERE), HERE) == ""


SHORT = ["", "male", "female", "unknown", "1915-12-10", "M-1", "Ada Lovelace", "x" * 63, "\0", "\u0080"]


def test_the_length_tells_nothing_of_what_is_short():
    assert len({len(seal(text, HERE)) for text in SHORT}) == 1


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 127, 128, 4000, 16_000])
@pytest.mark.parametrize("letter", ["a", "\0", "ä", "🩸"])
def test_padding_comes_off_again_and_tells_a_power_of_two(length, letter):
    text = letter * length
    sealed = seal(text, HERE)
    assert unseal(sealed, HERE) == text
    hidden = len(sealed) - len(seal("", HERE)) + 64
    assert hidden & (hidden - 1) == 0
    assert hidden <= max(64, 2 * (len(text.encode()) + 1))


def test_what_was_sealed_before_padding_is_read(monkeypatch):
    monkeypatch.setattr(cipher, "FORMAT", cipher.UNPADDED)
    monkeypatch.setattr(cipher, "_padded", str.encode)
    sealed = [seal(text, HERE) for text in SHORT]
    assert len({len(one) for one in sealed}) > 1
    monkeypatch.undo()
    assert [unseal(one, HERE) for one in sealed] == SHORT


def test_nothing_shows_through_and_nothing_repeats():
    sealed = [seal("Ada Lovelace", HERE) for _ in range(2)]
    assert sealed[0] != sealed[1]
    assert b"Ada" not in bytes(sealed[0])
    assert sealed[0].key_id == "2025-01-31-aaaaaa"


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place("cases_case", "name", LAB, "7"),
        Place("cases_patient", "mrn", LAB, "7"),
        Place("cases_patient", "name", uuid.UUID(int=2), "7"),
        Place("cases_patient", "name", LAB, "8"),
    ],
    ids=["table", "column", "lab", "row"],
)
def test_moved_elsewhere_it_does_not_open(elsewhere):
    with pytest.raises(Unreadable, match="altered, or moved"):
        unseal(seal("Ada", HERE), elsewhere)


def test_every_altered_bit_is_noticed():
    sealed = seal("Ada", HERE)
    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(Unreadable):
            unseal(Sealed(altered), HERE)
    for length in range(len(sealed)):
        with pytest.raises(Unreadable):
            unseal(Sealed(sealed[:length]), HERE)


def test_a_missing_key_is_named(settings):
    sealed = seal("Ada", HERE)
    settings.DATA_KEYS = NEW
    with pytest.raises(Unreadable, match="2025-01-31-aaaaaa"):
        unseal(sealed, HERE)


def test_an_older_key_still_opens_and_the_first_one_seals(settings):
    sealed = seal("Ada", HERE)
    settings.DATA_KEYS = f"{NEW},{OLD}"
    assert unseal(sealed, HERE) == "Ada"
    assert seal("Ada", HERE).key_id == "2026-01-31-aaaaaa"


def test_a_hash_is_of_one_lab_one_use_and_one_key(settings):
    (first,) = keyed_hashes("0042", "mrn", LAB)
    assert keyed_hashes("0042", "mrn", LAB) == [first]
    assert keyed_hashes("0042", "mrn", uuid.UUID(int=2)) != [first]
    assert keyed_hashes("0042", "name", LAB) != [first]
    settings.DATA_KEYS = f"{NEW},{OLD}"
    newer, older = keyed_hashes("0042", "mrn", LAB)
    assert older == first != newer


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "no key"),
        ("secret", "id:base64"),
        (f"a-key:{base64.b64encode(bytes(32)).decode()}", "beginning with the day"),
        (f"2026-02-31:{base64.b64encode(bytes(32)).decode()}", "beginning with the day"),
        ("2026-01-31:c2hvcnQ=", "has 5 bytes, not 32"),
        ("2026-01-31:not base64!", "is not base64"),
        (f"{OLD},{key('2025-01-31', 3)}", "same id"),
        (f"{OLD},{key('2026-01-31', 1)}", "under two ids"),
    ],
)
def test_malformed_keys_are_refused_and_not_shown(written, why):
    with pytest.raises(InvalidKeys, match=why) as refused:
        Keyring.parse(written)
    for secret in ("c2hvcnQ", "AAAA", "AQEB"):
        assert secret not in str(refused.value)


def test_keys_show_nowhere():
    keys = Keyring.parse(f"{NEW},{OLD}")
    for shown in (repr(keys), str(keys), f"{keys.current}"):
        assert "AQEB" not in shown
        assert "\\x01\\x01" not in shown


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
