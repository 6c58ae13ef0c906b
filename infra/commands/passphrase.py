"""Secrets under a passphrase: scrypt (RFC 7914) makes the key, AES-256-GCM encrypts under it."""

import base64
import json
import secrets
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from infra.language import _, ngettext
from infra.local.errors import StackError

# 128 MiB and some tenths of a second for each guess (OWASP's first choice for scrypt).
_COST = {"n": 2**17, "r": 8, "p": 1}
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32
SHORTEST = 12  # characters of a passphrase


def encrypt(files: Mapping[str, str], passphrase: str) -> str:
    """Encrypt texts by name; the result is JSON.

    Raises:
        StackError: the passphrase is too short.
    """
    if len(passphrase) < SHORTEST:
        raise StackError(
            ngettext(
                "The passphrase has %(n)s character. Give it %(shortest)s or more.",
                "The passphrase has %(n)s characters. Give it %(shortest)s or more.",
                len(passphrase),
            )
            % {"n": len(passphrase), "shortest": SHORTEST}
        )
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    head = {"kdf": "scrypt", **_COST, "salt": _text(salt), "nonce": _text(nonce)}
    ciphertext = _cipher(passphrase, salt, **_COST).encrypt(
        nonce, json.dumps(dict(files)).encode(), _bound(head)
    )
    return json.dumps({**head, "ciphertext": _text(ciphertext)})


def decrypt(encrypted: str, passphrase: str) -> dict[str, str]:
    """What `encrypt` was given.

    Raises:
        StackError: the passphrase is another, or the text was altered.
    """
    try:
        head = json.loads(encrypted)
        ciphertext = base64.b64decode(head.pop("ciphertext"))
        salt, nonce = base64.b64decode(head["salt"]), base64.b64decode(head["nonce"])
        if {name: head[name] for name in _COST} != _COST:  # another could take all memory
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StackError(_("The secrets in the backup are not what was written.")) from None
    try:
        opened = _cipher(passphrase, salt, **_COST).decrypt(nonce, ciphertext, _bound(head))
    except (InvalidTag, ValueError):
        raise StackError(_("The passphrase does not open these secrets, or they were altered.")) from None
    files: dict[str, str] = json.loads(opened)
    return files


def _cipher(passphrase: str, salt: bytes, n: int, r: int, p: int) -> AESGCM:
    return AESGCM(Scrypt(salt, _KEY_BYTES, n, r, p).derive(passphrase.encode()))


def _bound(head: Mapping[str, object]) -> bytes:
    return json.dumps(head, sort_keys=True).encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
