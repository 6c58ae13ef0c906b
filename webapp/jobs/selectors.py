from uuid import UUID

from django.db.models import QuerySet

from webapp.jobs.kinds import KINDS
from webapp.jobs.models import Job
from webapp.labs.models import Membership


def jobs_of(membership: Membership) -> QuerySet[Job]:
    """The member's own jobs in this lab, newest first."""
    return Job.objects.filter(lab=membership.lab_id, owner=membership.user_id).order_by("-created_at")


def job_of(membership: Membership, job_id: UUID) -> Job | None:
    """One of them; None where there is none of this id."""
    return jobs_of(membership).filter(id=job_id).first()


def can_fetch(membership: Membership, job: Job) -> bool:
    """Whether there is a result that the member may still have."""
    return job.state == Job.State.DONE and job.kind in KINDS and membership.may(KINDS[job.kind].needs)
