"""By when a lab's results are due."""

from django.db import transaction
from django.db.models import BooleanField, F, Func
from django.db.models.functions import Coalesce
from django_scopes import scopes_disabled

from webapp.cases.models import UNFINISHED, Case
from webapp.labs import services as labs
from webapp.labs.models import Lab

_FITTING = Func(
    "lab_id", "priority", Coalesce("specimen__received_at", "created_at"), function="worklist_due_at"
)
_IS_STALE = Func(
    F("due_at"),
    _FITTING,
    template="(%(expressions)s)",
    arg_joiner=" IS DISTINCT FROM ",  # untranslated: SQL
    output_field=BooleanField(),
)


@transaction.atomic
def change_turnaround(lab: Lab, *, stat: int | None, urgent: int | None, routine: int | None) -> None:
    """Set in how many hours the lab's results are due, by priority; None: at no time.

    It holds for the cases under way, too.
    """
    if labs.change_turnaround(lab, stat=stat, urgent=urgent, routine=routine):
        # A trigger says when they are due.
        Case.objects.filter(UNFINISHED, lab=lab).update(priority=F("priority"))


def mend() -> int:
    """See to cases that were created at the very moment in which their lab changed its turnaround.

    Returns how many they were. Over all labs.
    """
    with scopes_disabled():
        stale = Case.objects.filter(UNFINISHED, _IS_STALE).values_list("id", flat=True)
        return Case.objects.filter(id__in=list(stale[:1000])).update(priority=F("priority"))
