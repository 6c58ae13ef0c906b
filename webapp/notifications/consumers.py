"""Who is told of what happens to cases and jobs: whoever created the case, whoever started the job."""

from webapp.cases.models import Case
from webapp.jobs.kinds import KINDS
from webapp.jobs.models import Job
from webapp.labs.models import Membership
from webapp.labs.permissions import Permission
from webapp.language.sentences import as_written
from webapp.notifications.models import Kind
from webapp.notifications.services import tell
from webapp.outbox.events import JobEnded, ProcessingFinished, consumes
from webapp.outbox.queues import Queue


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


@consumes(JobEnded, queue=Queue.EVENTS)
def tell_of_job(event: JobEnded) -> None:
    job = Job.objects.filter(id=event.job).first()
    owner = _member(event, job.owner_id) if job else None
    if job and owner:
        label = as_written(KINDS[job.kind].label) if job.kind in KINDS else job.kind
        tell(owner, Kind.JOB_ENDED, facts={"label": label, "done": event.done})


def _member(event: ProcessingFinished | JobEnded, user_id: int) -> Membership | None:
    """The person as a member of the event's lab; None: not any more."""
    return Membership.objects.filter(lab=event.lab, user=user_id, active=True).select_related("lab").first()
