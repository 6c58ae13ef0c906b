"""Who is told of what happens to cases and jobs: whose case or job it is, and who may assign the cases."""

from webapp.cases.models import Case
from webapp.jobs.kinds import KINDS
from webapp.jobs.models import Job
from webapp.labs.models import Membership
from webapp.labs.permissions import Permission
from webapp.language.sentences import as_written
from webapp.notifications.models import Kind
from webapp.notifications.services import tell
from webapp.outbox.events import (
    CallOverdue,
    CaseAssigned,
    CasesOverdue,
    CasesReleased,
    Event,
    JobEnded,
    ProcessingFinished,
    ReadingsCompared,
    SecondReaderAsked,
    consumes,
)
from webapp.outbox.queues import Queue
from webapp.results.models import CriticalCall, Signature
from webapp.review import second_readers, settlement
from webapp.review.models import Agreement
from webapp.worklist.selectors import nobodys, overdue


@consumes(ProcessingFinished, queue=Queue.EVENTS)
def tell_of_case(event: ProcessingFinished) -> None:
    case = Case.objects.filter(id=event.case).first()
    owner = _member(event, case.created_by_id) if case else None
    if owner is None or not owner.may(Permission.VIEW_CASES):
        return
    facts = {"classified": event.classified, "refused": event.refused, "failed": event.failed}
    if event.classified:
        tell(owner, Kind.UPLOAD_FINISHED, case_id=event.case, facts=facts)
    if event.refused or event.failed:
        tell(owner, Kind.FILES_UNUSABLE, case_id=event.case, facts=facts)


@consumes(SecondReaderAsked, queue=Queue.EVENTS)
def tell_second_reader(event: SecondReaderAsked) -> None:
    """Who was asked; where anybody may read, all who may. It says nothing of what the first reading found."""
    case = Case.objects.filter(id=event.case).first()
    if case is None:
        return
    for member in second_readers.who_may(case):
        if member.user_id == (event.asked or member.user_id) and (event.asked or member.user_id != event.by):
            tell(member, Kind.SECOND_READER, case_id=event.case, facts={"named": bool(event.asked)})


@consumes(ReadingsCompared, queue=Queue.EVENTS)
def tell_readers(event: ReadingsCompared) -> None:
    """Both readers, for each waited for the other."""
    agreement = (
        Agreement.objects.filter(case=event.case).select_related("second").order_by("-made_at").first()
    )
    if agreement is None:
        return
    for user_id in {*settlement.readers_of_first(agreement), agreement.second.reader_id}:
        member = _member(event, user_id)
        if member is not None and member.may(Permission.VIEW_CASES):
            facts = {"disagreements": event.disagreements}
            tell(member, Kind.READINGS_COMPARED, case_id=event.case, facts=facts)


@consumes(JobEnded, queue=Queue.EVENTS)
def tell_of_job(event: JobEnded) -> None:
    job = Job.objects.filter(id=event.job).first()
    owner = _member(event, job.owner_id) if job else None
    if job and owner:
        label = as_written(KINDS[job.kind].label) if job.kind in KINDS else job.kind
        tell(owner, Kind.JOB_ENDED, facts={"label": label, "done": event.done})


@consumes(CallOverdue, queue=Queue.EVENTS)
def tell_of_call(event: CallOverdue) -> None:
    """Whoever signed the result, whose work the case is, and who assigns work."""
    call = CriticalCall.objects.filter(id=event.call, ended_at=None).select_related("case").first()
    if call is None:
        return  # somebody was told meanwhile
    people = {
        *Signature.objects.filter(result=call.result_id).values_list("by", flat=True),
        call.case.assignee_id,
    }
    members = Membership.objects.filter(lab=event.lab, active=True, user__is_active=True)
    for one in members.select_related("lab").order_by("id"):
        is_theirs = one.user_id in people and one.may(Permission.VIEW_CASES)
        if is_theirs or one.may(Permission.ASSIGN):
            tell(one, Kind.CALL_OVERDUE, case_id=event.case, facts={})


@consumes(CaseAssigned, queue=Queue.EVENTS)
def tell_of_assignment(event: CaseAssigned) -> None:
    if event.assignee == event.by or not Case.objects.filter(id=event.case, assignee=event.assignee).exists():
        return  # they took it themselves, or it is somebody else's by now
    if owner := _member(event, event.assignee):
        tell(owner, Kind.CASE_ASSIGNED, case_id=event.case, facts={})


@consumes(CasesOverdue, queue=Queue.EVENTS)
def tell_of_overdue(event: CasesOverdue) -> None:
    if cases := overdue(event.assignee).count():
        owner = _member(event, event.assignee) if event.assignee else None
        for one in [owner] if owner else _who_assign(event):
            facts = {"cases": cases, "mine": owner is not None}
            tell(one, Kind.CASES_OVERDUE, together=True, facts=facts)


@consumes(CasesReleased, queue=Queue.EVENTS)
def tell_of_release(event: CasesReleased) -> None:
    if cases := nobodys().count():
        for one in _who_assign(event):
            tell(one, Kind.CASES_RELEASED, together=True, facts={"released": event.cases, "cases": cases})


def _who_assign(event: Event) -> list[Membership]:
    members = Membership.objects.filter(lab=event.lab, active=True, user__is_active=True)
    return [one for one in members.select_related("lab") if one.may(Permission.ASSIGN)]


def _member(event: Event, user_id: int | None) -> Membership | None:
    """The person as a member of the event's lab; None: not any more."""
    return Membership.objects.filter(lab=event.lab, user=user_id, active=True).select_related("lab").first()
