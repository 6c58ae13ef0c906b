"""Whether a snapshot is one that this installation made: a MAC over its manifest, under one of its data keys.

The manifest names every other file by its SHA-256, so that the MAC vouches for all bytes of a snapshot, the
archive of the database among them, whose statements a restore runs. Who may write to a backup folder, and
holds no data key, can make no snapshot that is believed.
"""

import hmac
import json
from uuid import UUID

from django.utils.translation import gettext as _

from webapp.crypto.keyring import keyring
from webapp.crypto.keys import Key, UnknownKey
from webapp.language.sentences import say

_INSTALLATION = UUID(int=0)
_ALGORITHM = "sha256"


class NotAuthentic(Exception):
    """Nobody vouches for a manifest; the message says why."""


def sign(manifest: bytes) -> str:
    """The MAC of a manifest under the current data key, as JSON."""
    key = keyring().current
    return json.dumps({"key": key.id, "hmac": _mac(key, manifest)})


def check(manifest: bytes, signed: bytes) -> None:
    """Check what `sign` said.

    Raises:
        NotAuthentic: the MAC is another, or under a key that is not among ours.
    """
    try:
        said = json.loads(signed)
        key_id, mac = str(said["key"]), str(said["hmac"])
    except (ValueError, KeyError, TypeError):
        raise NotAuthentic(_("its MAC is no such thing")) from None
    try:
        key = keyring()[key_id]
    except UnknownKey as error:
        raise NotAuthentic(say(error.sentence)) from None
    if not hmac.compare_digest(_mac(key, manifest).encode(), mac.encode()):
        raise NotAuthentic(_("its MAC does not fit: it was changed, or is of another installation"))


def _mac(key: Key, manifest: bytes) -> str:
    # untranslated: a label that the key is derived with
    return hmac.new(key.derive("backup manifest", _INSTALLATION), manifest, _ALGORITHM).hexdigest()
