"""What a haematology analyser can have counted, and what to say of a number that it cannot."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.formats import get_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webapp.writing.text import half_width, one_line


@dataclass(frozen=True)
class Limit:
    """The numbers that one quantity can have, and the sentences for those that it cannot.

    Attributes:
        decimals: that are kept.
        above_none: 0 is none of them.
    """

    most: Decimal
    decimals: int
    above_none: bool
    too_low: Any
    too_high: Any

    def check(self, value: Decimal) -> None:
        """Raise ValidationError for a number that the quantity cannot have."""
        if value < 0 or (self.above_none and value == 0):
            raise ValidationError(self.too_low)
        if value > self.most:
            raise ValidationError(self.too_high)


# Not ranges of health: what no specimen has, so that a number in another unit is noticed.
LIMITS = {
    "wbc": Limit(
        Decimal(1000),
        3,
        True,
        gettext_lazy(
            "A WBC is above 0. Where the analyser counted fewer than it can tell, enter the smallest number"
            " that it reports, or leave the field empty."
        ),
        gettext_lazy(
            "A WBC is at most 1000 × 10⁹/L. Is this a count per µL? Then divide it by 1000: 7200/µL is 7.2."
        ),
    ),
    "haemoglobin": Limit(
        Decimal(300),
        1,
        True,
        gettext_lazy("A haemoglobin is above 0 g/L. Leave the field empty where it was not measured."),
        gettext_lazy("A haemoglobin is at most 300 g/L. Enter it in g/L: 14.2 g/dL is 142 g/L."),
    ),
    "platelets": Limit(
        Decimal(10_000),
        1,
        False,
        gettext_lazy("A number of platelets is not below 0."),
        gettext_lazy("Platelets are at most 10000 × 10⁹/L. Is this a count per µL? Then divide it by 1000."),
    ),
}
PER_DECILITRE = Decimal(25)
"""A haemoglobin below it, in g/L, is nearly always one in g/dL."""
MOST_DIGITS = 12


def in_other_unit(haemoglobin: Decimal | None) -> bool:
    """Whether a haemoglobin, given in g/L, looks like one in g/dL: to be asked about, for it can be."""
    return haemoglobin is not None and haemoglobin < PER_DECILITRE


def number(text: str, decimals: int) -> Decimal:
    """A number as people of the reader's language write it in a form; it is never guessed.

    A point is a decimal point, and so is the comma of languages that have one there. What other numbers are
    grouped by is invalid, and so is a point before three digits where it may group.

    Raises:
        ValidationError: it is no such number; the message says what is wrong.
    """
    given = "".join(str(unicodedata.decimal(letter, letter)) for letter in half_width(one_line(text)))
    comma = get_format("DECIMAL_SEPARATOR") != "."
    if "," in given and not comma:
        raise ValidationError(_("Write the decimals behind a point, as in 7.2, and no comma."))
    if comma and re.fullmatch(r"[0-9]{1,3}(\.[0-9]{3})+", given):
        raise ValidationError(
            _("It is not clear whether the point groups thousands. Write decimals behind a comma.")
        )
    if not re.fullmatch(rf"[0-9]{{1,{MOST_DIGITS}}}([.,][0-9]{{1,{MOST_DIGITS}}})?", given):
        raise ValidationError(_("Enter a number alone, without signs, units or letters."))
    whole, _separator, rest = given.replace(",", ".").partition(".")
    if len(rest.rstrip("0")) > decimals:
        raise ValidationError(_("It has more decimals than are kept (%(n)s).") % {"n": decimals})
    return Decimal(f"{whole}.{rest[:decimals] or 0}")


def checked(name: str) -> Callable[[Decimal], None]:
    """The check of a quantity, as forms and serializers call it."""
    return LIMITS[name].check


def written(value: Decimal | None) -> str:
    """A number without zeros at its end, as it is kept on record and shown."""
    return "" if value is None else f"{value.normalize():f}"
