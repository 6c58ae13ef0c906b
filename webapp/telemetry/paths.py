"""Paths as they may stand in a log: without what opens a door."""

import logging
import re

# An invitation's address is the secret itself.
_SECRET = re.compile(r"(?<=/invitations/)[^/\s]+")


def shown(path: str) -> str:
    """A path, or a line that has paths in it, with `-` in the place of each secret."""
    return _SECRET.sub("-", path)


class WithoutSecrets(logging.Filter):
    """For lines of Django's that name the path of a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(shown(arg) if isinstance(arg, str) else arg for arg in record.args)
        return True
