"""Random secrets that are shown once, and of which only a digest is kept."""

import hashlib
import secrets


def new_secret() -> str:
    """256 random bits, safe in addresses and headers."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """SHA-256 is enough: the secret is 256 random bits, so there is nothing to guess."""
    return hashlib.sha256(secret.encode()).digest()
