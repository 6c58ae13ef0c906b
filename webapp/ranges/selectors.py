from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import QuerySet

from webapp.hematology.classes import REPORT_ORDER
from webapp.hematology.coverage import ANY
from webapp.ranges.models import Quantity, ReferenceRange


def valid_now(lab_id: UUID) -> QuerySet[ReferenceRange]:
    """The lab's approved rows that count: what is approved does at once, until it is retired."""
    return ReferenceRange.objects.filter(lab=lab_id, approved_at__isnull=False, valid_to=None)


def applying(
    rows: Iterable[ReferenceRange], cell_class: str, quantity: str, *, age: int, sex: str | None
) -> ReferenceRange | None:
    """The one of `rows` that is for somebody of this age, in days, and sex.

    Args:
        sex: None: not known; what is for any sex applies to them, too.
    """
    its_own = (row for row in rows if (row.cell_class, row.quantity) == (cell_class, quantity))
    return next((row for row in its_own if row.span.holds(age) and row.sex in (ANY, sex)), None)


def proposed(lab_id: UUID) -> QuerySet[ReferenceRange]:
    """Rows that nobody has approved."""
    return ReferenceRange.objects.filter(lab=lab_id, approved_at=None)


@dataclass(frozen=True)
class Proposal:
    """A row that nobody has approved, and those that count and would end if somebody did."""

    row: ReferenceRange
    replaced: tuple[ReferenceRange, ...]


@dataclass(frozen=True)
class Group:
    """All of a class in one quantity: what counts, and what is proposed instead."""

    cell_class: str
    quantity: str
    valid: list[ReferenceRange] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)


def groups(lab_id: UUID) -> list[Group]:
    """The lab's ranges by class, in the order of reports."""
    found: dict[tuple[str, str], Group] = {}
    valid = valid_now(lab_id).select_related("approved_by")
    for row in _in_order(valid):
        _group(found, row).valid.append(row)
    for row in _in_order(proposed(lab_id).select_related("proposed_by")):
        group = _group(found, row)
        replaced = tuple(one for one in group.valid if one.span.meets(row.span))
        group.proposals.append(Proposal(row, replaced))
    quantities = list(Quantity)
    return sorted(
        found.values(),
        key=lambda one: (REPORT_ORDER.index(one.cell_class), quantities.index(Quantity(one.quantity))),
    )


def _group(found: dict[tuple[str, str], Group], row: ReferenceRange) -> Group:
    return found.setdefault((row.cell_class, row.quantity), Group(row.cell_class, row.quantity))


def _in_order(rows: QuerySet[ReferenceRange]) -> QuerySet[ReferenceRange]:
    return rows.order_by("age_from_days", "sex", "id")
