"""Numbers as a laboratory writes them, in the reader's language."""

from decimal import Decimal

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from webapp.cases.counted import written

register = template.Library()


def _number(value: float | Decimal, decimals: int) -> str:
    return str(number_format(f"{value:.{decimals}f}", decimals, force_grouping=True))


def _percent(number: str) -> str:
    # Translators: a share, as 12.5 %; some languages leave no space.
    return _("%(number)s %%") % {"number": number}


@register.filter
def percent(value: float) -> str:
    """Whole percent, of a number of 0 to 100."""
    return _percent(_number(value, 0))


@register.filter
def confidence(probability: float) -> str:
    """A probability in whole percent, never rounded up to certainty nor down to none."""
    if probability > 0.99:
        return f"> {_percent(_number(99, 0))}"
    if probability < 0.01:
        return f"< {_percent(_number(1, 0))}"
    return percent(100 * probability)


@register.filter
def share(value: float) -> str:
    """A share of 0 to 1 in percent with one decimal, never rounded up to all nor down to none."""
    if 0.9995 <= value < 1:
        return f"> {_percent(_number(99.9, 1))}"
    if 0 < value < 0.0005:
        return f"< {_percent(_number(0.1, 1))}"
    return _percent(_number(100 * value, 1))


@register.filter
def share_interval(interval: tuple[float, float]) -> str:
    """The bounds of a share, 0 to 1, in percent with one decimal."""
    low, high = (_number(100 * bound, 1) for bound in interval)
    return _percent(pgettext("from one number to another", "%(low)s–%(high)s") % {"low": low, "high": high})


@register.filter
def one_decimal(value: float | None) -> str:
    return "–" if value is None else _number(value, 1)


@register.filter
def distance(value: float) -> str:
    """A distance from the training cells with two decimals; one beyond the limit of 1 never reads as 1."""
    return _number(value if value <= 1 else max(value, 1.01), 2)


@register.filter
def coordinate(value: float) -> str:
    """A number as SVG reads it, in any language."""
    return f"{value:.2f}"


@register.filter
def tenths(percent: int) -> int:
    """Rounded down to tens, so that a screen reader hears of progress ten times, not every second."""
    return percent // 10 * 10


def _counted(value: Decimal) -> str:
    digits = written(value)
    return _number(value, len(digits.partition(".")[2]))


@register.filter
def per_litre(value: Decimal) -> str:
    """Cells counted by an analyser, in 10⁹/L, with the decimals that they have."""
    # Translators: a number of cells, as 7.2 × 10⁹/L.
    return _("%(number)s × 10⁹/L") % {"number": _counted(value)}


@register.filter
def grams_per_litre(value: Decimal) -> str:
    """What an analyser measured in g/L, with the decimals that it has."""
    # Translators: a haemoglobin, as 142 g/L.
    return _("%(number)s g/L") % {"number": _counted(value)}
