"""Whether the ages of reference ranges cover a life: for either sex each day once, or no day at all."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

ANY, FEMALE, MALE = "any", "female", "male"
SEXES = (FEMALE, MALE)


@dataclass(frozen=True)
class Span:
    """The days of a life from `start` to the day before `end`; no end: all after it, too."""

    sex: str
    start: int
    end: int | None

    def holds(self, age: int) -> bool:
        return self.start <= age and (self.end is None or age < self.end)

    def is_of(self, sex: str) -> bool:
        return self.sex in (ANY, sex)

    def meets(self, other: "Span") -> bool:
        """Whether there is somebody whom both are of."""
        same_sex = self.sex == other.sex or ANY in (self.sex, other.sex)
        before = self.end is not None and self.end <= other.start
        after = other.end is not None and other.end <= self.start
        return same_sex and not before and not after


class Wrong(StrEnum):
    GAP = "gap"
    OVERLAP = "overlap"


@dataclass(frozen=True)
class Fault:
    """Days of which there is no range, or more than one. `sex` is `any` where it is the same for both."""

    wrong: Wrong
    sex: str
    start: int
    end: int | None


def faults(spans: Iterable[Span]) -> list[Fault]:
    """What keeps spans from covering a life; none at all cover nothing, which is no fault."""
    spans = list(spans)
    if not spans:
        return []
    found = {sex: _of_one(sex, spans) for sex in SEXES}
    both = [one for one in found[FEMALE] if one in found[MALE]]
    merged = [Fault(wrong, ANY, start, end) for wrong, start, end in both]
    for sex in SEXES:
        merged += [
            Fault(wrong, sex, start, end)
            for wrong, start, end in found[sex]
            if (wrong, start, end) not in both
        ]
    return sorted(merged, key=lambda one: (one.start, one.sex))


def _of_one(sex: str, spans: list[Span]) -> list[tuple[Wrong, int, int | None]]:
    found: list[tuple[Wrong, int, int | None]] = []
    its_own = sorted((one for one in spans if one.is_of(sex)), key=lambda one: one.start)
    ends = {one.start for one in its_own} | {one.end for one in its_own if one.end is not None} | {0}
    days = sorted(ends)
    for start, end in zip(days, [*days[1:], None], strict=True):
        n = sum(1 for one in its_own if one.holds(start))
        if n == 1:
            continue
        wrong = Wrong.OVERLAP if n else Wrong.GAP
        if found and found[-1][0] == wrong and found[-1][2] == start:
            found[-1] = (wrong, found[-1][1], end)
        else:
            found.append((wrong, start, end))
    return found
