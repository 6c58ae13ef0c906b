"""The installation's data keys: how they are written, which is current, and what is derived from them."""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from serving.contract.sentence import N_, Sentence

KEY_BYTES = 32
_ID = re.compile(r"(\d{4}-\d{2}-\d{2})[a-z0-9-]{0,20}")


class InvalidKeys(ValueError):
    """The keys as written cannot be used; the message says why and shows none of them."""


class UnknownKey(Exception):
    """Something was sealed with a key that is not among ours."""

    def __init__(self, key_id: str) -> None:
        text = N_("Key “%(key)s” is not among the data keys. Put it back into HEMATOVISION_DATA_KEYS.")
        self.sentence = Sentence(text, {"key": key_id})
        super().__init__(str(self.sentence))


@dataclass(frozen=True)
class Key:
    """256 random bits under an id that begins with the day on which they were made."""

    id: str
    material: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "Key":
        """Read `id:base64`.

        Raises:
            InvalidKeys: the id or the key is malformed.
        """
        key_id, _, encoded = text.partition(":")
        named = _ID.fullmatch(key_id)
        if not encoded or named is None or not _is_day(named[1]):
            # untranslated: faults of settings come before any catalogue
            raise InvalidKeys(
                "each key is written id:base64, the id beginning with the day it was made (2026-01-31-a1b2c3)"
            )
        try:
            material = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            # untranslated: of settings
            raise InvalidKeys(f"key {key_id} is not base64") from None
        if len(material) != KEY_BYTES:
            # untranslated: of settings
            raise InvalidKeys(f"key {key_id} has {len(material)} bytes, not {KEY_BYTES}")
        return cls(key_id, material)

    @property
    def made(self) -> date:
        return date.fromisoformat(self.id[:10])

    def derive(self, use: str, lab: UUID) -> bytes:
        """A key of 32 bytes for one use in one lab (HKDF-SHA-256, RFC 5869)."""
        return _derive(self.material, f"hematovision {use} {lab}".encode())


@dataclass(frozen=True)
class Keyring:
    """The keys in use, the current one first: it seals, the others only open what they sealed."""

    keys: tuple[Key, ...]

    @classmethod
    def parse(cls, text: str) -> "Keyring":
        """Read `id:base64,id:base64,…`; line ends part keys as well as commas.

        Raises:
            InvalidKeys: there is none, one is malformed, or an id or a key is there twice.
        """
        keys = tuple(Key.parse(part) for part in re.split(r"[\s,]+", text.strip()) if part)
        if not keys:
            # untranslated: of settings
            raise InvalidKeys("there is no key; `hematovision keys new` makes one")
        if len({key.id for key in keys}) < len(keys):
            # untranslated: of settings
            raise InvalidKeys("two keys have the same id")
        if len({key.material for key in keys}) < len(keys):
            # untranslated: of settings
            raise InvalidKeys("one key is there under two ids")
        return cls(keys)

    def __iter__(self) -> Iterator[Key]:
        return iter(self.keys)

    def __getitem__(self, key_id: str) -> Key:
        for key in self.keys:
            if key.id == key_id:
                return key
        raise UnknownKey(key_id)

    @property
    def current(self) -> Key:
        return self.keys[0]


@lru_cache(maxsize=4096)
def _derive(material: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(material)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
