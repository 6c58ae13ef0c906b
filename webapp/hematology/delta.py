"""How much a value differs from the one before, and whether that is more than a laboratory expects."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Expected:
    """The least change that is marked.

    Attributes:
        change: in the value's own unit, or in per cent of the value before.
        days: how long before the value before may be.
    """

    change: Decimal
    is_relative: bool
    days: int


def relative(before: Decimal, now: Decimal) -> Decimal | None:
    """By how many per cent of what it was a value changed; None: it was nothing, of which there are none."""
    return (now - before) * HUNDRED / before if before else None


def is_marked(before: Decimal, now: Decimal, apart: timedelta, expected: Expected) -> bool:
    """Whether the change is as large as that which is marked, or larger, and in so many days at most.

    A value that was 0 has no relative change: the absolute one says what became of it.
    """
    if apart > timedelta(days=expected.days):
        return False
    change = relative(before, now) if expected.is_relative else now - before
    return change is not None and abs(change) >= expected.change
