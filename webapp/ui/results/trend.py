"""A class over the results of a patient, as a small line beside its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webapp.results.history import Column, Row

WIDTH, HEIGHT, EDGE = 96, 28, 4


@dataclass(frozen=True)
class Trend:
    """
    Attributes:
        points: of the line, as SVG has them.
        last: the place of the last result.
        text: the same in words, for who cannot see it; the table has all numbers.
    """

    points: str
    last: tuple[str, str]
    text: str


def trend_of(row: Row, columns: Sequence[Column]) -> Trend | None:
    """The line of absolute values where there are two at least, else of per cent; None: there is but one."""
    for name, unit, places in (("absolute", _("×10⁹/L"), 2), ("percent", "%", 1)):
        found: list[tuple[datetime, Decimal]] = [
            (column.at, number)
            for column, value in zip(columns, row.values, strict=True)
            if value is not None and (number := getattr(value, name)) is not None
        ]
        if len(found) > 1:
            return _drawn(found, unit, places)
    return None


def _drawn(found: Sequence[tuple[datetime, Decimal]], unit: str, places: int) -> Trend:
    begin, whole = found[0][0], (found[-1][0] - found[0][0]).total_seconds()
    numbers = [number for _at, number in found]
    low, span = min(numbers), max(numbers) - min(numbers)
    drawn = []
    for place, (at, number) in enumerate(found):
        part = (at - begin).total_seconds() / whole if whole else place / (len(found) - 1)
        height = float((number - low) / span) if span else 0.5
        x = EDGE + part * (WIDTH - 2 * EDGE)
        y = HEIGHT - EDGE - height * (HEIGHT - 2 * EDGE)
        drawn.append((f"{x:.1f}", f"{y:.1f}"))
    values = {
        "n": len(found),
        "first": number_format(numbers[0], places),
        "last": number_format(numbers[-1], places),
        "low": number_format(low, places),
        "high": number_format(max(numbers), places),
        "unit": unit,
    }
    text = ngettext(
        "From %(first)s to %(last)s %(unit)s in %(n)s result; lowest %(low)s, highest %(high)s.",
        "From %(first)s to %(last)s %(unit)s in %(n)s results; lowest %(low)s, highest %(high)s.",
        len(found),
    )
    return Trend(" ".join(f"{x},{y}" for x, y in drawn), drawn[-1], text % values)
