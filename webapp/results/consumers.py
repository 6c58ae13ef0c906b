"""What follows for the flags of cases when what they are judged by changes."""

from django.db.models import QuerySet

from webapp.cases.models import UNDER_WAY, Case
from webapp.outbox.events import (
    PatientChanged,
    ProcessingFinished,
    RangesChanged,
    SpecimenChanged,
    consumes,
    publish,
)
from webapp.outbox.queues import Queue
from webapp.results.flagging import judge_anew

CASES_AT_ONCE = 100


@consumes(ProcessingFinished, queue=Queue.EVENTS)
def judge_classified(event: ProcessingFinished) -> None:
    judge_anew(_under_way().filter(id=event.case))


@consumes(SpecimenChanged, queue=Queue.EVENTS)
def judge_specimen(event: SpecimenChanged) -> None:
    judge_anew(_under_way().filter(id=event.case))


@consumes(PatientChanged, queue=Queue.EVENTS)
def judge_patient(event: PatientChanged) -> None:
    judge_anew(_under_way().filter(patient=event.patient))


@consumes(RangesChanged, queue=Queue.EVENTS)
def judge_again(event: RangesChanged) -> None:
    """All cases of the lab that are under way, some at a time: it tells itself of the rest."""
    found = _under_way().order_by("id")
    if event.after:
        found = found.filter(id__gt=event.after)
    cases = list(found[:CASES_AT_ONCE])
    judge_anew(cases)
    if len(cases) == CASES_AT_ONCE:
        publish(RangesChanged(event.lab, after=str(cases[-1].id)))


def _under_way() -> QuerySet[Case]:
    return Case.objects.filter(review__in=UNDER_WAY).select_related("lab")
