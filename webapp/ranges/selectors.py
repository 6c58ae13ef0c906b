from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from webapp.hematology.coverage import ANY
from webapp.ranges.models import ReferenceRange


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
