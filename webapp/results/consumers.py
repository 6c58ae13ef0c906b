"""What follows for results from what happened to a case: its flags, whether it can be signed, calls."""

from django.db.models import QuerySet

from webapp.cases.models import UNDER_WAY, Case
from webapp.cases.services import hold
from webapp.outbox.events import (
    CaseSigned,
    CaseVoided,
    PatientChanged,
    ProcessingFinished,
    RangesChanged,
    SpecimenChanged,
    consumes,
    publish,
)
from webapp.outbox.queues import Queue
from webapp.results import calls, readiness
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


@consumes(ProcessingFinished, queue=Queue.EVENTS)
def look_whether_ready(event: ProcessingFinished) -> None:
    """What was decided of all cells while images were still on their way may be all that was missing."""
    _look(_under_way().filter(id=event.case))


@consumes(PatientChanged, queue=Queue.EVENTS)
def look_now_that_the_patient_is_known(event: PatientChanged) -> None:
    """Or whose they are may have been."""
    _look(_under_way().filter(patient=event.patient))


@consumes(PatientChanged, queue=Queue.EVENTS)
def end_calls_of_the_erased(event: PatientChanged) -> None:
    calls.note_erased(event.patient)


@consumes(CaseSigned, queue=Queue.EVENTS)
def ask_for_a_call(event: CaseSigned) -> None:
    calls.note_signed(Case.objects.get(id=event.case), event.result)


@consumes(CaseVoided, queue=Queue.EVENTS)
def end_calls(event: CaseVoided) -> None:
    calls.note_void(Case.objects.get(id=event.case))


def _look(cases: QuerySet[Case]) -> None:
    for case in cases.order_by("id"):
        readiness.look(hold(case))


def _under_way() -> QuerySet[Case]:
    return Case.objects.filter(review__in=UNDER_WAY).select_related("lab")
