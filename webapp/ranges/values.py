"""A reference range as somebody enters it, and what is wrong with it, field by field."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.formats import get_format
from django.utils.translation import gettext as _

from serving.contract import CELL_CLASSES, CellClass
from webapp.hematology.classes import BY_CODE
from webapp.ranges.models import LAST_DAY, SOURCE_LENGTH, Quantity, ReferenceRange, Sex
from webapp.writing.fields import seen
from webapp.writing.text import one_line

LIMITS = ("low", "high", "critical_low", "critical_high")
AGES = ("age_from_days", "age_to_days")
FIELDS = ("cell_class", "quantity", "sex", *AGES, *LIMITS, "source")
LARGEST = Decimal("9999.999")
_NUMBER = re.compile(r"(\d+)(?:([.,])(\d+))?", re.ASCII)
_PLACES = 3


@dataclass(frozen=True)
class Values:
    """What a row says, apart from who said it and since when it counts."""

    cell_class: str
    quantity: str
    sex: str
    age_from_days: int
    age_to_days: int | None
    low: Decimal | None
    high: Decimal | None
    critical_low: Decimal | None
    critical_high: Decimal | None
    source: str

    @classmethod
    def of(cls, row: ReferenceRange) -> "Values":
        return cls(**{field.name: getattr(row, field.name) for field in fields(cls)})


class InvalidValues(ValueError):
    """Fields and what is wrong with each."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(errors)
        self.errors = dict(errors)


def quantities(cell_class: CellClass) -> tuple[Quantity, ...]:
    """In what a class of cells is measured: what is given as a number alone, in nothing."""
    if cell_class.unit is None:
        return ()
    return (Quantity.ABSOLUTE, Quantity.PERCENT) if cell_class.in_wbc else (Quantity.PER_100,)


MEASURED = tuple(one.code for one in CELL_CLASSES if quantities(one))


def read(given: Mapping[str, str]) -> Values:
    """What was entered, as text.

    Raises:
        InvalidValues: it is no range.
    """
    errors: dict[str, str] = {}
    text = {name: one_line(given.get(name, "") or "") for name in FIELDS}
    sex = text["sex"] or Sex.ANY
    if text["cell_class"] not in BY_CODE:
        errors["cell_class"] = _("There is no such class of cells.")
    elif text["cell_class"] not in MEASURED:
        errors["cell_class"] = _("Cells of this class are given as a number alone, which no range is for.")
    if text["quantity"] not in Quantity.values:
        errors["quantity"] = _("Choose one of: %(choices)s.") % {"choices": ", ".join(Quantity.values)}
    elif not errors and text["quantity"] not in quantities(BY_CODE[text["cell_class"]]):
        errors["quantity"] = _("Cells of this class are not measured so.")
    if sex not in Sex.values:
        errors["sex"] = _("Choose one of: %(choices)s.") % {"choices": ", ".join(Sex.values)}
    start = _days(text["age_from_days"] or "0", "age_from_days", errors)
    end = _days(text["age_to_days"], "age_to_days", errors) if text["age_to_days"] else None
    if start is not None and end is not None and end <= start:
        errors["age_to_days"] = _("The first day after the ages of the range is later than their first day.")
    limits = {name: _limit(text[name], name, errors) for name in LIMITS}
    _check_order(limits, errors)
    if text["quantity"] == Quantity.PERCENT:
        for name, limit in limits.items():
            if limit is not None and limit > 100:
                errors.setdefault(name, _("No class has more than 100 % of the white cells."))
    if not text["source"]:
        errors["source"] = _("Say where the numbers are from.")
    elif len(text["source"]) > SOURCE_LENGTH:
        errors["source"] = _("At most %(n)s characters.") % {"n": SOURCE_LENGTH}
    else:
        try:
            seen(text["source"])
        except ValidationError as error:
            errors["source"] = " ".join(error.messages)
    if errors or start is None:
        raise InvalidValues(errors)
    return Values(text["cell_class"], text["quantity"], sex, start, end, **limits, source=text["source"])


def _days(text: str, name: str, errors: dict[str, str]) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LAST_DAY)) and int(text) <= LAST_DAY):
        errors[name] = _("An age is a whole number of days, from 0 to %(last)s.") % {"last": LAST_DAY}
        return None
    return int(text)


def _limit(text: str, name: str, errors: dict[str, str]) -> Decimal | None:
    """A limit, with the decimal sign of the reader's language, or with a point where that can mean nothing
    else."""
    if not text:
        return None
    comma = get_format("DECIMAL_SEPARATOR") == ","
    if text[0] in "-−":  # both signs
        errors[name] = _("A limit is not negative.")
    elif not (found := _NUMBER.fullmatch(text)):
        errors[name] = _("“%(text)s” is no number.") % {"text": text[:40]}
    elif found[2] == "," and not comma:
        errors[name] = _("Write the decimal sign as a point: %(number)s.") % {
            "number": text.replace(",", ".")
        }
    elif found[2] == "." and comma and len(found[3]) == 3:
        errors[name] = _("Write the decimal sign as a comma; a point may mean thousands.")
    elif len(found[3] or "") > _PLACES:
        errors[name] = _("At most %(n)s decimals.") % {"n": _PLACES}
    elif (value := Decimal(text.replace(",", "."))) > LARGEST:
        errors[name] = _("No limit is so large.")
    else:
        return value
    return None


def _check_order(limits: Mapping[str, Decimal | None], errors: dict[str, str]) -> None:
    low, high, critical_low, critical_high = (limits[name] for name in LIMITS)
    if low is None and high is None:
        if not {"low", "high"} & errors.keys():
            errors["low"] = _("Give a lower limit, an upper limit, or both.")
    elif low is not None and high is not None and low > high:
        errors["low"] = _("The lower limit is above the upper one.")
    inner_low = high if low is None else low
    inner_high = low if high is None else high
    if critical_low is not None and inner_low is not None and critical_low > inner_low:
        errors["critical_low"] = _("A critical limit is not within the normal range.")
    if critical_high is not None and inner_high is not None and critical_high < inner_high:
        errors["critical_high"] = _("A critical limit is not within the normal range.")
