"""Ages, ranges and what is wrong with them, in words."""

from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from webapp.hematology.classes import BY_CODE
from webapp.hematology.coverage import FEMALE, MALE, Fault, Wrong
from webapp.ranges.models import Quantity, ReferenceRange

DAYS_OF_A_YEAR = 365.25
DAYS_OF_A_MONTH = DAYS_OF_A_YEAR / 12


def days_of_years(years: float) -> int:
    return round(years * DAYS_OF_A_YEAR)


def age(days: int) -> str:
    """In years where it is so many, else in days."""
    years = round(days / DAYS_OF_A_YEAR)
    if years and days_of_years(years) == days:
        return ngettext("%(n)s year", "%(n)s years", years) % {"n": years}
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


def ages(start: int, end: int | None) -> str:
    if end is None:
        return _("all ages") if start == 0 else _("from %(age)s on") % {"age": age(start)}
    if start == 0:
        return _("under %(age)s") % {"age": age(end)}
    return _("from %(age)s to under %(end)s") % {"age": age(start), "end": age(end)}


def group(cell_class: str, quantity: str) -> str:
    """A class and how it is measured, as in `Lymphocyte, 10⁹/L`."""
    values = {"class": _(BY_CODE[cell_class].name), "quantity": Quantity(quantity).label}
    return pgettext("of a reference range", "%(class)s, %(quantity)s") % values


def fault(of: str, found: Fault) -> str:
    """What keeps the ranges of a group, which `of` names, from being whole."""
    values = {"of": of, "ages": ages(found.start, found.end)}
    if found.wrong == Wrong.GAP:
        if found.sex == FEMALE:
            return _("%(of)s: there would be no range for women and girls, %(ages)s.") % values
        if found.sex == MALE:
            return _("%(of)s: there would be no range for men and boys, %(ages)s.") % values
        return _("%(of)s: there would be no range, %(ages)s.") % values
    if found.sex == FEMALE:
        return _("%(of)s: there would be more than one range for women and girls, %(ages)s.") % values
    if found.sex == MALE:
        return _("%(of)s: there would be more than one range for men and boys, %(ages)s.") % values
    return _("%(of)s: there would be more than one range, %(ages)s.") % values


def normal(row: ReferenceRange) -> str:
    """The normal limits with their unit, as a laboratory writes them: `1.80–7.70 ×10⁹/L`."""
    if row.low is None:
        return _with_unit(row, f"≤ {_limit(row, row.high)}")
    if row.high is None:
        return _with_unit(row, f"≥ {_limit(row, row.low)}")
    values = {"low": _limit(row, row.low), "high": _limit(row, row.high)}
    return _with_unit(row, pgettext("from one number to another", "%(low)s–%(high)s") % values)


def critical(row: ReferenceRange) -> str:
    """Below and above which a value is critical; empty: none is."""
    low, high = (
        None if limit is None else _limit(row, limit) for limit in (row.critical_low, row.critical_high)
    )
    said = [f"< {low}"] if low is not None else []
    said += [f"> {high}"] if high is not None else []
    return _with_unit(row, ", ".join(said)) if said else ""


def _with_unit(row: ReferenceRange, text: str) -> str:
    if row.quantity == Quantity.ABSOLUTE:
        return _("%(number)s ×10⁹/L") % {"number": text}
    if row.quantity == Quantity.PERCENT:
        return _("%(number)s %%") % {"number": text}
    return _("%(number)s per 100 white cells") % {"number": text}


def _limit(row: ReferenceRange, value: Decimal | None) -> str:
    """In the reader's language, absolute ones with two places at least."""
    if value is None:
        return ""
    own = max(-int(value.normalize().as_tuple().exponent), 0)  # a limit is a finite number
    places = max(2 if row.quantity == Quantity.ABSOLUTE else 0, own)
    return str(number_format(value, places, force_grouping=True))
