"""Django's sessions in the database; a cookie that can be no key of one is as if there were none."""

from typing import Any

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key: Any) -> bool:
        # Quoted cookies can hold any byte, and PostgreSQL fails on some.
        return bool(super()._validate_session_key(key)) and key.isascii() and key.isalnum()
