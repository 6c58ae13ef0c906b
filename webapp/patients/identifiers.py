"""Who a patient is: what may be known, and the rules for entering it."""

import unicodedata
from datetime import date, datetime, timedelta
from datetime import timezone as fixed_zone

from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webapp.writing.text import one_line, scanned

LABELS = {"name": _("Name"), "mrn": _("MRN"), "birth_date": _("Birth date"), "sex": _("Sex")}
FIELDS = tuple(LABELS)
FURTHEST_EAST = fixed_zone(timedelta(hours=14))
NAME_LENGTH, MRN_LENGTH = 200, 64


class Sex(TextChoices):
    """Administrative gender, with the codes of HL7 FHIR R4."""

    MALE = "male", _("Male")
    FEMALE = "female", _("Female")
    OTHER = "other", _("Other")
    UNKNOWN = "unknown", _("Unknown")


def day_in_a_life(value: date) -> None:
    """Raise ValidationError for a birth date of nobody who lives.

    A child is born today where the lab is. Where nobody has said where that is, today is what it is furthest
    east: there it is tomorrow in UTC for 14 hours of the day.
    """
    today = day_at_most(timezone.now())
    if value > today or today.year - value.year > 130:
        raise ValidationError(_("A birth date is not in the future, and at most 130 years ago."))


def day_at_most(at: datetime) -> date:
    """The day at a time where the lab is; where nobody has said where that is, furthest east."""
    zone = timezone.get_current_timezone()
    return timezone.localdate(at, timezone=FURTHEST_EAST if str(zone) == "UTC" else zone)


def found_again(mrn: str) -> None:
    """Raise ValidationError for an MRN of separators alone: no search would find it."""
    if not normal_mrn(mrn):
        raise ValidationError(_("An MRN has letters or digits."))


def normal_mrn(mrn: str) -> str:
    """An MRN without what people write differently and mean alike: width, case, blanks and separators, and
    which script its digits are of."""
    even = unicodedata.normalize("NFKC", mrn_line(mrn)).casefold()
    letters = (letter for letter in even if letter.isalnum())
    return "".join(str(unicodedata.decimal(letter, letter)) for letter in letters)


def mrn_line(text: str) -> str:
    """An MRN as people type it, or a barcode reader."""
    return one_line(scanned(text))
