"""What was remarked in a reading."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from webapp.accounts.models import User
from webapp.cases.disclosure import text_shown
from webapp.crypto.cipher import Unreadable
from webapp.hematology.remarks import SUBJECTS, TERMS, WORDS
from webapp.review.models import Reading, Remark


@dataclass(frozen=True, repr=False)
class Said:
    """A remark to be shown. It has no `repr`, for the words may name somebody."""

    subject: str
    term: str
    grade: str
    words: str | None
    """None: they are not to be shown, or cannot be read any more."""
    by: User
    at: datetime
    is_taken_back: bool = False

    @property
    def subject_name(self) -> str:
        return _(SUBJECTS[self.subject])

    @property
    def name(self) -> str:
        """Of the term, in the reader's language; nothing for free words."""
        return "" if self.term == WORDS or self.term not in TERMS else _(TERMS[self.term].name)


def last_of(reading: Reading, subject: str, term: str) -> Remark | None:
    """What counts of a term, which may be that it was taken back."""
    found = Remark.objects.filter(reading=reading, subject=subject, term=term).order_by("-number")
    return found.select_related("by").first()


def standing(reading: Reading, *, texts: bool) -> list[Said]:
    """What stands of a reading's remarks, to be shown."""
    return _said(reading, standing_rows(reading), texts=texts)


def standing_rows(reading: Reading) -> list[Remark]:
    """The last of each term that was not taken back, by subject and in the order of the terms."""
    last: dict[tuple[str, str], Remark] = {}
    for row in _rows(reading):
        last[row.subject, row.term] = row
    rows = [row for row in last.values() if not row.is_taken_back]
    order = [*TERMS, WORDS]
    rows.sort(key=lambda row: (list(SUBJECTS).index(row.subject), order.index(row.term)))
    return rows


def history(reading: Reading, *, texts: bool) -> list[Said]:
    """All that was ever remarked, or taken back, the last first."""
    return _said(reading, [*_rows(reading)][::-1], texts=texts)


def _rows(reading: Reading) -> list[Remark]:
    found = Remark.objects.filter(reading=reading).order_by("number")
    return list(found.select_related("by", "reading__case__patient__key"))


def _said(reading: Reading, rows: list[Remark], *, texts: bool) -> list[Said]:
    said = [
        Said(
            subject=row.subject,
            term=row.term,
            grade=row.grade,
            words=_words(row) if texts else None,
            by=row.by,
            at=row.at,
            is_taken_back=row.is_taken_back,
        )
        for row in rows
    ]
    if any(one.words for one in said):
        text_shown({reading.case_id: reading.case.accession})
    return said


def _words(row: Remark) -> str | None:
    try:
        return str(row.words)
    except Unreadable:
        return None
