"""Finding the cases that became overdue, and telling of them."""

from collections import Counter
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from webapp.cases.models import UNFINISHED, Case
from webapp.labs.models import Lab
from webapp.outbox.events import CasesOverdue, publish
from webapp.worklist import turnaround
from webapp.worklist.assigning import release_of_leavers
from webapp.worklist.models import Overdue

AT_ONCE = 1000


def find() -> int:
    """Tell of the cases that are overdue and were not told of; returns how many they were. Over all labs.

    First it sees to what nobody told the worklist: whose account those closed who run the installation.
    """
    turnaround.mend()
    for lab in Lab.objects.filter(id__in=_labs_with_assigned_cases()):
        release_of_leavers(lab)
    found = 0
    while some := _find_some():
        found += some
    return found


def _labs_with_assigned_cases() -> list[UUID]:
    with scopes_disabled():
        assigned = Case.objects.filter(UNFINISHED, assignee__isnull=False).order_by()
        return list(assigned.values_list("lab_id", flat=True).distinct())


@transaction.atomic
def _find_some() -> int:
    now = timezone.now()
    with scopes_disabled():
        told = Overdue.objects.filter(case=OuterRef("id"), due_at=OuterRef("due_at"))
        fresh = Case.objects.filter(UNFINISHED, ~Exists(told), due_at__lt=now)
        # One that somebody works on at this moment is found the next time.
        locked = fresh.select_for_update(no_key=True, skip_locked=True, of=("self",)).order_by("due_at")
        cases = list(locked.values_list("id", "lab_id", "assignee_id", "due_at")[:AT_ONCE])
        Overdue.objects.bulk_create(
            [
                Overdue(case_id=case, lab_id=lab, due_at=due, found_at=now)
                for case, lab, _, due in cases
                if due
            ],
            update_conflicts=True,
            unique_fields=["case"],
            update_fields=["due_at", "found_at"],
        )
    for (lab, assignee), n in Counter((lab, assignee) for _, lab, assignee, _ in cases).items():
        with scope(lab=lab):
            publish(CasesOverdue(lab, assignee, n))
    return len(cases)
