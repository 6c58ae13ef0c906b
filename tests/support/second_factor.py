"""What an authenticator app computes (RFC 6238)."""

import base64
import hashlib
import hmac
import struct
import time

STEP_S = 30
AHEAD_S = 5
"""What a code is still good for at least when it is given: who waits for a busy machine needs that long."""


def code(secret: str, at: float | None = None) -> str:
    """The six digits an app shows for a base32 secret, now or at another time.

    A code of now that is about to end is not given: as people do, it waits for the next.
    """
    if at is None:
        if (left := STEP_S - time.time() % STEP_S) < AHEAD_S:
            time.sleep(left)
        at = time.time()
    step = int(at) // STEP_S
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1)
    place = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[place : place + 4])[0] & 0x7FFFFFFF) % 10**6:06}"
