"""Whether a value lies within its limits, and what is abnormal in any number."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Flag(StrEnum):
    """With the codes that HL7 gives them."""

    LOW = "L"
    HIGH = "H"
    CRITICAL_LOW = "LL"
    CRITICAL_HIGH = "HH"
    ABNORMAL = "A"


BY_WEIGHT = (Flag.CRITICAL_LOW, Flag.CRITICAL_HIGH, Flag.ABNORMAL, Flag.LOW, Flag.HIGH)
CRITICAL = frozenset({Flag.CRITICAL_LOW, Flag.CRITICAL_HIGH})


@dataclass(frozen=True)
class Limits:
    """A value on a limit is within it. A critical limit lies on the normal one, or outside."""

    low: Decimal | None = None
    high: Decimal | None = None
    critical_low: Decimal | None = None
    critical_high: Decimal | None = None

    def crossed(self, flag: Flag) -> Decimal | None:
        """The limit that a value with this flag lies outside of."""
        return {
            Flag.CRITICAL_LOW: self.critical_low,
            Flag.CRITICAL_HIGH: self.critical_high,
            Flag.LOW: self.low,
            Flag.HIGH: self.high,
        }.get(flag)


def judged(value: Decimal, limits: Limits) -> Flag | None:
    """The flag of a value; None: it is within its limits."""
    if limits.critical_low is not None and value < limits.critical_low:
        return Flag.CRITICAL_LOW
    if limits.critical_high is not None and value > limits.critical_high:
        return Flag.CRITICAL_HIGH
    if limits.low is not None and value < limits.low:
        return Flag.LOW
    if limits.high is not None and value > limits.high:
        return Flag.HIGH
    return None


def is_within_counting_error(flag: Flag, limits: Limits, low: Decimal | None, high: Decimal | None) -> bool:
    """Whether the limit that was crossed lies between `low` and `high`: more cells might have shown a value
    within it."""
    limit = limits.crossed(flag)
    return limit is not None and low is not None and high is not None and low <= limit <= high


def by_weight(flags: Iterable[Flag]) -> tuple[Flag, ...]:
    """Each once, what matters most first."""
    found = set(flags)
    return tuple(flag for flag in BY_WEIGHT if flag in found)
