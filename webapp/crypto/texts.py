"""Sealed values written as text, for columns of other libraries' tables: `sealed:<key id>:<base64>`."""

import base64
import binascii

from django.db import models

from webapp.crypto.cipher import FORMAT, UNPADDED, Place, Sealed, seal, unseal

MARK = "sealed:"


class TextKeyId(models.Func):
    """The id of the key that a sealed text is under; null where the text is not sealed."""

    # untranslated: SQL
    template = f"substring(%(expressions)s FROM '^{MARK}([^:]*):')"
    output_field = models.TextField()


class TextFormat(models.Func):
    """The format of a sealed text: of its first byte, base64 shows six bits as `A`, the others next."""

    template = f"CASE WHEN %(expressions)s ~ '^{MARK}[^:]*:A[g-v]' THEN {FORMAT} ELSE {UNPADDED} END"
    output_field = models.IntegerField()


def seal_text(text: str, place: Place) -> str:
    """Encrypt `text` for `place` with the current key."""
    sealed = seal(text, place)
    return f"{MARK}{sealed.key_id}:{base64.b64encode(sealed).decode()}"


def unseal_text(written: str, place: Place) -> str:
    """The text that `seal_text` was given for the same place; what is not sealed comes back as it is.

    Raises:
        Unreadable: it was altered, lay elsewhere, or was sealed with a key that is not among ours.
    """
    if not written.startswith(MARK):
        return written
    try:
        sealed = base64.b64decode(written.rpartition(":")[2], validate=True)
    except binascii.Error:
        sealed = b""  # which is no sealed value, and is reported as such
    return unseal(Sealed(sealed), place)
