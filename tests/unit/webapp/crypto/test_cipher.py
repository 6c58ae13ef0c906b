"""Cipher and keyed hashes, without a database."""

import uuid

import pytest

from tests.support.data_keys import NEW, OLD
from webapp.crypto import cipher
from webapp.crypto.cipher import Place, Sealed, Unreadable, keyed_hashes, seal, unseal

LAB = uuid.UUID(int=1)
HERE = Place("cases_patient", "name", LAB, "7")


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


def test_what_lies_under_a_key_of_ones_own_opens_with_that_key_alone():
    owner = uuid.UUID(int=7)
    own = cipher.OwnKey(owner, bytes(range(32)))
    sealed = cipher.seal("Ada", HERE, own)
    assert sealed.key_id == f"own:{owner}"
    assert cipher.unseal(sealed, HERE, own) == "Ada"
    for other in (None, cipher.OwnKey(owner, bytes(32)), cipher.OwnKey(uuid.UUID(int=8), bytes(range(32)))):
        with pytest.raises(cipher.Unreadable):
            cipher.unseal(sealed, HERE, other)


def test_what_the_labs_key_sealed_opens_beside_a_key_of_ones_own():
    own = cipher.OwnKey(uuid.UUID(int=7), bytes(32))
    assert cipher.unseal(cipher.seal("Ada", HERE), HERE, own) == "Ada"


def test_a_key_of_ones_own_is_not_shown():
    assert "AESGCM" not in repr(cipher.OwnKey(uuid.UUID(int=7), bytes(32)))
