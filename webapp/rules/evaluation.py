"""Whether a rule's conditions hold of a case, on plain values. What is not known fulfils no condition."""

import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from webapp.rules.conditions import ANY, YES, Condition, Operator, Quantity

_COMPARED: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.ABOVE: operator.gt,
    Operator.AT_LEAST: operator.ge,
    Operator.BELOW: operator.lt,
    Operator.AT_MOST: operator.le,
}


@dataclass(frozen=True)
class Facts:
    """What is known of a case, by class code where it is of a class, and with what is part of that class.
    None: it is not known."""

    percent: Mapping[str, Decimal] = field(default_factory=dict)
    absolute: Mapping[str, Decimal] = field(default_factory=dict)
    per_100: Mapping[str, Decimal] = field(default_factory=dict)
    count: Mapping[str, int] = field(default_factory=dict)
    flags: Mapping[str, Collection[str]] = field(default_factory=dict)
    age_days: int | None = None
    sex: str = ""
    wbc: Decimal | None = None
    haemoglobin: Decimal | None = None
    platelets: Decimal | None = None
    is_first_result: bool | None = None


def hold(conditions: Iterable[Condition], facts: Facts) -> bool:
    """Whether all of them do."""
    return all(_holds(condition, facts) for condition in conditions)


def _holds(condition: Condition, facts: Facts) -> bool:
    if condition.quantity == Quantity.FLAG:
        given = (flags for code, flags in facts.flags.items() if condition.cell_class in (ANY, code))
        return any(condition.value in flags for flags in given)
    if condition.quantity == Quantity.SEX:
        return facts.sex == condition.value
    if condition.quantity == Quantity.FIRST_RESULT:
        return condition.value == YES and facts.is_first_result is True
    known = _number(condition, facts)
    return known is not None and _COMPARED[condition.operator](known, condition.value)


def _number(condition: Condition, facts: Facts) -> Decimal | int | None:
    match condition.quantity:
        case Quantity.PERCENT:
            return facts.percent.get(condition.cell_class)
        case Quantity.ABSOLUTE:
            return facts.absolute.get(condition.cell_class)
        case Quantity.PER_100:
            return facts.per_100.get(condition.cell_class)
        case Quantity.COUNT:
            return facts.count.get(condition.cell_class)
        case Quantity.AGE_DAYS:
            return facts.age_days
        case Quantity.WBC:
            return facts.wbc
        case Quantity.HAEMOGLOBIN:
            return facts.haemoglobin
        case _:
            return facts.platelets
