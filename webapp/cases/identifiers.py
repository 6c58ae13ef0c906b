"""Who a case is of, and what the ward says of them: what may be known of a case's patient."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from webapp.patients import identifiers
from webapp.writing.text import half_width, one_line, scanned

LABELS = {**identifiers.LABELS, "notes": _("Clinical notes")}
FIELDS = tuple(LABELS)
IN_LISTS = identifiers.FIELDS
NOTES_LENGTH = 4000


@dataclass(frozen=True, repr=False)
class Identifiers:
    """Who a case's patient is, as far as it was entered. It has no `repr`, so that no log can show it."""

    name: str = ""
    mrn: str = ""
    birth_date: date | None = None
    sex: str = ""
    notes: str = ""
    unreadable: tuple[str, ...] = ()
    """Names of those that cannot be decrypted: altered in the database, or their key is gone."""
    kept: tuple[str, ...] = ()
    """Names of those that were given otherwise just now; what was known stayed."""
    patient: UUID | None = None
    """Which of the lab's patients it is."""
    erased: bool = False
    """Whether the patient was erased, with all that was known."""

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in (*FIELDS, "unreadable", "erased"))

    @property
    def unreadable_labels(self) -> str:
        return labels(self.unreadable)


def labels(names: Iterable[str]) -> str:
    """The fields as people call them, in one line."""
    return ", ".join(str(LABELS[name]) for name in names)


def normal_accession(text: str) -> str:
    """An accession number as it is kept: in one line, full width as half width, as a barcode says it."""
    return one_line(scanned(half_width(text)))
