"""What all work that goes through the outbox shares when it is retried, or must not be done twice at once."""

import random
from datetime import timedelta

from django.db import connection


def back_off(retry: int, *, first: float, longest: float) -> timedelta:
    """How long to wait before the retry of this number, from 1: twice as long each time, with jitter, so that
    what failed together does not return together.

    Args:
        first, longest: seconds.
    """
    wait = min(first * 2 ** min(retry - 1, 16), longest)
    return timedelta(seconds=wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter


def try_lock(subject: str) -> bool:
    """Whether nobody else holds the lock of this name; if so, it is held until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [subject])
        (got,) = cursor.fetchone()
    return bool(got)
