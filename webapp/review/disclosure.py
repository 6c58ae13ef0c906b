"""The one way to a reading for somebody to see, so that who looked is on record."""

from dataclasses import dataclass
from datetime import datetime

from webapp.accounts.models import User
from webapp.cases.disclosure import found, opened, text_shown
from webapp.cases.models import Cell
from webapp.crypto.cipher import Unreadable
from webapp.review import selectors
from webapp.review.models import Decision, Reading


@dataclass(frozen=True, repr=False)
class Said:
    """What was last decided of a cell in a reading. It has no `repr`, for the words may name somebody."""

    cell_class: str
    by: User
    at: datetime
    number: int
    confirmed: bool
    suggested_class: str
    suggested_confidence: float | None
    words: str | None
    """None: they are not to be shown, or cannot be read any more."""


def shown(reading_id: int, viewer: User) -> Reading:
    """The reading, with its case; that the case was opened is recorded.

    Raises:
        NotInLab: it is another lab's, or not for the viewer, or there is none.
    """
    reading = found(selectors.readings(viewer), reading_id, "reading")
    opened(reading.case)
    return reading


def cell_shown(reading: Reading, cell_id: int) -> Cell:
    """A cell of the reading's case.

    Raises:
        NotInLab: it is another case's, or there is none.
    """
    return found(Cell.objects.filter(image__case=reading.case_id), cell_id, "cell")


def said(reading: Reading, cell: Cell, *, texts: bool) -> Said | None:
    """What was last decided of a cell, to be shown: with the person's own words, which may say something of
    the patient, or without."""
    rows = Decision.objects.filter(reading=reading, cell=cell).order_by("-number")
    last = rows.select_related("by", "reading__case__patient__key").first()
    if last is None or not last.cell_class:
        return None
    words = None
    if texts:
        try:
            words = last.words
        except Unreadable:
            words = None
        if words:
            text_shown({reading.case_id: reading.case.accession})
    return Said(
        cell_class=last.cell_class,
        by=last.by,
        at=last.at,
        number=last.number,
        confirmed=last.confirmed,
        suggested_class=last.suggested_class,
        suggested_confidence=last.suggested_confidence,
        words=words,
    )
