"""Decisions as a page or a program sends them, for tests that need some."""

from collections.abc import Collection
from uuid import UUID

from webapp.accounts.models import User
from webapp.review import services
from webapp.review.models import Reading
from webapp.review.services import Choice, Sent

CLIENT = UUID(int=1)


def decide(reading: Reading, cells: Collection[int], cell_class: str, *, by: User, words: str = "") -> int:
    """Decide that all of `cells` are of a class, whoever decided of them; returns the reading's revision."""
    reading.refresh_from_db(fields=["revision"])
    services.decide(
        reading,
        [Choice(cell, cell_class, words) for cell in cells],
        by=by,
        sent=Sent(base_revision=reading.revision, client=CLIENT),
    )
    return reading.revision
