"""AES-256-GCM with the key's id in front, bound to the place where the sealed value lies.

A nonce is 96 random bits. NIST SP 800-38D (8.3) allows 2^32 messages under one key with such nonces; a key
here is one lab's under one id, so a lab that writes a million values a day may go on for eleven years without
rotating.
"""

import json
import secrets
from dataclasses import dataclass
from functools import lru_cache
from hmac import digest
from uuid import UUID

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from webapp.crypto.keyring import keyring
from webapp.crypto.keys import Key, UnknownKey

FORMAT = 2
UNPADDED = 1  # the format of older values
NONCE_BYTES, TAG_BYTES = 12, 16
SMALLEST = 64  # bytes: what is shorter is padded to it, what is longer to the next power of two
_END = b"\x80"

log = structlog.get_logger(__name__)


class Unreadable(Exception):
    """A sealed value cannot be opened: it was altered or moved, or its key is gone."""


class Erased(Unreadable):
    """The key of its own that the value was sealed under is gone, as was wanted."""


OWN = "own:"
"""What begins the id of a key of a record's own; no id of a data key has a colon."""


class OwnKey:
    """A key that one record has to itself; whoever deletes it makes unreadable all that lies under it.

    It is 256 random bits, which lie in the database sealed under the lab's key. It is kept nowhere but in the
    record that was read, and has no `repr`.
    """

    __slots__ = ("aead", "id")

    def __init__(self, owner: UUID, material: bytes) -> None:
        self.id, self.aead = f"{OWN}{owner}", AESGCM(material)


class Sealed(bytes):
    """An encrypted value: format (1 byte), length of the key's id (1 byte), id, nonce, ciphertext and tag."""

    __slots__ = ()

    @property
    def key_id(self) -> str:
        return self[2 : 2 + self[1]].decode("ascii", "replace")


@dataclass(frozen=True)
class Place:
    """Where a value lies; sealed for one place, it opens in no other."""

    table: str
    column: str
    lab: UUID
    row: str

    def __bytes__(self) -> bytes:
        return json.dumps([self.table, self.column, str(self.lab), self.row]).encode()

    def __str__(self) -> str:
        return f"{self.table}.{self.column} of row {self.row}"


def seal(text: str, place: Place, own: OwnKey | None = None) -> Sealed:
    """Encrypt `text` for `place` with a key of its owner's own, without one with the lab's current key.

    It is padded first, for the cipher does not hide how long a text is: a sex would be known by that.
    """
    key_id, aead = (own.id, own.aead) if own else _of_lab(keyring().current, place.lab)
    nonce = secrets.token_bytes(NONCE_BYTES)
    head = bytes([FORMAT, len(key_id)]) + key_id.encode()
    return Sealed(head + nonce + aead.encrypt(nonce, _padded(text), head + bytes(place)))


def unseal(sealed: Sealed, place: Place, own: OwnKey | None = None) -> str:
    """The text that `seal` was given for the same place.

    Args:
        own: the key of the one whom the value is of. What the lab's key sealed opens with or without it.

    Raises:
        Unreadable: it was altered, lay elsewhere, or was sealed with a key that is not among ours.
    """
    try:
        if own and sealed.key_id == own.id:
            key_id, aead = own.id, own.aead
        elif sealed.key_id.startswith(OWN):
            raise ValueError("It is another's.")  # untranslated: nobody sees it
        else:
            key_id, aead = _of_lab(keyring()[sealed.key_id], place.lab)
        start = 2 + len(key_id)
        head, nonce, ciphertext = (
            sealed[:start],
            sealed[start : start + NONCE_BYTES],
            sealed[start + NONCE_BYTES :],
        )
        opened = aead.decrypt(nonce, ciphertext, head + bytes(place))
        return (opened if head[0] == UNPADDED else _unpadded(opened)).decode()
    except UnknownKey as error:
        reason = str(error)
    except (InvalidTag, IndexError, ValueError):
        reason = "It was altered, or moved there from elsewhere."  # untranslated: for the log
    log.error(
        "encrypted value unreadable", table=place.table, column=place.column, row=place.row, reason=reason
    )
    # untranslated: pages say it in words of their own
    raise Unreadable(f"{place} cannot be decrypted. {reason}")


def keyed_hashes(text: str, use: str, lab: UUID) -> list[bytes]:
    """HMAC-SHA-256 of `text` for a use in a lab, under each of the keys, the current one first.

    Whoever has the database alone can neither read it nor try values out, nor find a patient of one lab in
    another.
    """
    return [digest(key.derive(f"hash {use}", lab), text.encode(), "sha256") for key in keyring()]


def _padded(text: str) -> bytes:
    """The text, a mark, and zeros up to a power of two (ISO/IEC 7816-4)."""
    plain = text.encode()
    return (plain + _END).ljust(max(SMALLEST, 1 << len(plain).bit_length()), b"\0")


def _unpadded(padded: bytes) -> bytes:
    return padded.rstrip(b"\0").removesuffix(_END)


def _of_lab(key: Key, lab: UUID) -> tuple[str, AESGCM]:
    return key.id, _aes(key.derive("seal", lab))


@lru_cache(maxsize=4096)
def _aes(key: bytes) -> AESGCM:
    return AESGCM(key)
