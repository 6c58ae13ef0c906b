"""Redaction of log lines: paths without the secrets in them."""

import logging
import re

# An invitation's address is the secret itself.
_SECRET = re.compile(r"(?<=/invitations/)[^/\s]+")


def redacted(path: str) -> str:
    """A path, or a line that has paths in it, with `-` in the place of each secret."""
    return _SECRET.sub("-", path)


class RedactSecrets(logging.Filter):
    """For lines of Django's that name the path of a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(redacted(arg) if isinstance(arg, str) else arg for arg in record.args)
        return True
