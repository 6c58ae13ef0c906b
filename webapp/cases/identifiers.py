"""Who a case's patient is: what may be known, and the rules for entering it."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from datetime import timezone as fixed_zone

from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.utils import timezone

from webapp.writing.text import half_width, one_line

LABELS = {"name": "Name", "mrn": "MRN", "birth_date": "Birth date", "sex": "Sex", "notes": "Clinical notes"}
FIELDS = tuple(LABELS)
IN_LISTS = tuple(name for name in FIELDS if name != "notes")
FURTHEST_EAST = fixed_zone(timedelta(hours=14))
NAME_LENGTH, MRN_LENGTH, NOTES_LENGTH = 200, 64, 4000


class Sex(TextChoices):
    """Administrative gender, with the codes of HL7 FHIR R4."""

    MALE = "male", "Male"
    FEMALE = "female", "Female"
    OTHER = "other", "Other"
    UNKNOWN = "unknown", "Unknown"


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

    def __bool__(self) -> bool:
        return self != Identifiers()

    @property
    def unreadable_labels(self) -> str:
        return labels(self.unreadable)


def labels(names: Iterable[str]) -> str:
    """The fields as people call them, in one line."""
    return ", ".join(LABELS[name] for name in names)


def day_in_a_life(value: date) -> None:
    """Raise ValidationError for a birth date of nobody who lives.

    A child is born today where the lab is. Where nobody has said where that is, today is what it is furthest
    east: there it is tomorrow in UTC for 14 hours of the day.
    """
    zone = timezone.get_current_timezone()
    today = timezone.localdate(timezone=FURTHEST_EAST if str(zone) == "UTC" else zone)
    if value > today or today.year - value.year > 130:
        raise ValidationError("A birth date is not in the future, and at most 130 years ago.")


def found_again(mrn: str) -> None:
    """Raise ValidationError for an MRN of separators alone: no search would find it."""
    if not normal_mrn(mrn):
        raise ValidationError("An MRN has letters or digits.")


def normal_accession(text: str) -> str:
    """An accession number as it is kept: in one line, full width as half width."""
    return half_width(one_line(text))


def normal_mrn(mrn: str) -> str:
    """An MRN without what people write differently and mean alike: width, case, blanks and separators, and
    which script its digits are of."""
    even = unicodedata.normalize("NFKC", one_line(mrn)).casefold()
    letters = (letter for letter in even if letter.isalnum())
    return "".join(str(unicodedata.decimal(letter, letter)) for letter in letters)
