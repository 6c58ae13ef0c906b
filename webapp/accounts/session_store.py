"""Django's sessions in the database; a cookie that can be no key of one is as if there were none."""

from typing import Any

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key: Any) -> bool:
        # Quoted cookies can hold any byte, and PostgreSQL fails on some.
        known = super()._validate_session_key(key)  # type: ignore[misc]  # the stubs leave it out
        return bool(known) and key.isascii() and key.isalnum()
