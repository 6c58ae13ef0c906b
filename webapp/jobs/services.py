"""The life of a job: started, worked on piece by piece, done, cancelled, failed, expired.

Each piece is one task and one transaction: a worker that is killed costs that piece. Between two pieces it is
looked whether the job is still wanted, by somebody who may have it.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_scopes import scopes_disabled

from serving.contract.sentence import N_, Sentence
from webapp.audit.context import Actor, acting
from webapp.jobs.kinds import KINDS, Kind, Piece
from webapp.jobs.models import Job
from webapp.labs.models import Membership
from webapp.outbox.events import JobEnded, publish
from webapp.outbox.queues import Queue
from webapp.outbox.retrying import back_off, try_lock
from webapp.outbox.services import enqueue, is_enqueued
from webapp.storage import objects

RUN_PIECE = "run_piece"  # the task's name; workers register it

log = structlog.get_logger(__name__)


class TooManyJobs(Exception):
    """A person has as many jobs as may be open at a time."""

    def __str__(self) -> str:
        text = ngettext(
            "You have %(n)s job under way. Wait for it, or cancel it.",
            "You have %(n)s jobs under way. Wait for one, or cancel one.",
            settings.JOBS_OPEN_OF_ONE,
        )
        return text % {"n": settings.JOBS_OPEN_OF_ONE}


@transaction.atomic
def start(membership: Membership, kind: Kind, parameters: Mapping[str, Any]) -> Job:
    """Start a job of the member; call only for one who may (`kind.needs`).

    Raises:
        TooManyJobs: as it says.
        ValueError: the parameters are not what the kind takes.
    """
    if unknown := parameters.keys() - set(kind.takes):
        text = _("There is no %(unknown)s here, but %(known)s.")
        raise ValueError(text % {"unknown": ", ".join(sorted(unknown)), "known": ", ".join(kind.takes)})
    kept = kind.check(parameters)
    Membership.objects.select_for_update(no_key=True).get(id=membership.id)  # who starts two at once waits
    mine = Job.objects.filter(lab=membership.lab_id, owner=membership.user_id, state__in=Job.OPEN)
    if mine.count() >= settings.JOBS_OPEN_OF_ONE:
        raise TooManyJobs
    job = Job.objects.create(
        lab_id=membership.lab_id, owner_id=membership.user_id, kind=kind.name, parameters=kept
    )
    kind.started(job)
    enqueue(job.lab_id, Queue.JOBS, RUN_PIECE, [job.id])
    return job


def cancel(job: Job) -> None:
    """Have a job end before its next piece; one that has ended stays as it is."""
    Job.objects.filter(id=job.id, state__in=Job.OPEN).update(cancel_requested=True)


def run_piece(job_id: UUID) -> None:
    """Do the next piece of a job. A second message finds it in hand, or further."""
    with transaction.atomic():
        if not _take(job_id):
            return
        job = Job.objects.select_related("owner").filter(id=job_id, state__in=Job.OPEN).first()
        if job is None:
            return
        if reason := _reason_to_end(job):
            _end(job, Job.State.CANCELLED, reason)
            return
        if job.attempts >= settings.JOB_MAX_ATTEMPTS:
            _end(
                job,
                Job.State.FAILED,
                Sentence(N_("It failed several times. Try again, or tell whoever runs your installation.")),
            )
            return
    # Counted before it is made: one that takes its worker with it counts as well. Another may have ended it.
    Job.objects.filter(id=job_id, state__in=Job.OPEN).update(
        attempts=F("attempts") + 1, due_at=timezone.now(), state=Job.State.RUNNING
    )
    try:
        with transaction.atomic():
            if not _take(job_id):
                return
            job = Job.objects.select_related("owner").filter(id=job_id, state__in=Job.OPEN).first()
            if job is not None:
                with acting(Actor(job.owner_id, str(job.owner))):
                    _keep(job, KINDS[job.kind].run(job))
    except Exception as error:  # noqa: BLE001 - whatever a kind raises is its own, and told to operators
        _attempt_failed(job_id, error)


@transaction.atomic
def recover_lost() -> int:
    """Enqueue jobs again whose worker or message is gone; returns how many. Runs over all labs."""
    before = timezone.now() - timedelta(seconds=settings.JOB_LOST_SECONDS)
    with scopes_disabled():
        lost = list(
            Job.objects.filter(~is_enqueued(RUN_PIECE), state__in=Job.OPEN, due_at__lt=before)
            .select_for_update(skip_locked=True)
            .order_by("created_at")[:1000]
        )
        for job in lost:
            _enqueue(job)
    return len(lost)


def delete_expired() -> int:
    """Delete results that have expired; returns how many. Jobs that ended long ago go, too. Over all labs."""
    now = timezone.now()
    with scopes_disabled():
        expired = list(
            Job.objects.filter(state=Job.State.DONE, expires_at__lt=now).order_by("expires_at")[:10_000]
        )
        for job in expired:
            _delete_result(job)
            Job.objects.filter(id=job.id).update(state=Job.State.EXPIRED, result_key="", parts=0)
        old = now - timedelta(days=settings.JOB_KEPT_DAYS)
        Job.objects.filter(finished_at__lt=old).exclude(state=Job.State.DONE).delete()
    return len(expired)


def _reason_to_end(job: Job) -> Sentence | None:
    """Why nobody wants or may have the result any more; None: somebody does."""
    if job.cancel_requested:
        return Sentence(N_("You cancelled it."))
    owner = Membership.objects.filter(lab=job.lab_id, user=job.owner_id).select_related("lab").first()
    if owner is None:
        return Sentence(N_("Its owner is no longer a member of the lab."))
    if not owner.active:
        return Sentence(N_("Its owner is deactivated."))
    if not owner.may(KINDS[job.kind].needs):
        return Sentence(N_("The role of its owner no longer allows it."))
    return None


def _keep(job: Job, piece: Piece) -> None:
    """Add a piece to the result. The last makes an object of all parts."""
    now = timezone.now()
    job.done, job.total, job.cursor, job.attempts = piece.done, piece.total, piece.cursor, 0
    job.result_key = _result_key(job)
    # The same key at each attempt: what a killed worker wrote is written over.
    objects.put(f"{job.result_key}/{job.parts}", piece.data, KINDS[job.kind].media_type)
    job.parts += 1
    fields = ["done", "total", "cursor", "attempts", "result_key", "parts"]
    if piece.cursor is None:
        job.state, job.finished_at = Job.State.DONE, now
        job.expires_at = now + timedelta(days=settings.JOB_RESULT_DAYS)
        fields += ["state", "finished_at", "expires_at"]
        publish(JobEnded(job.lab_id, job.id, done=True))
    else:
        _enqueue(job)
    job.save(update_fields=fields)


def _attempt_failed(job_id: UUID, error: Exception) -> None:
    log.warning("piece of a job failed", job=str(job_id), error=repr(error))
    job = Job.objects.filter(id=job_id, state__in=Job.OPEN).first()
    if job is None:
        return
    wait = back_off(
        job.attempts, first=settings.JOB_RETRY_FIRST_SECONDS, longest=settings.JOB_RETRY_LONGEST_SECONDS
    )
    with transaction.atomic():
        _enqueue(job, wait)


def _end(job: Job, state: Job.State, why: Sentence) -> None:
    """End a job before its time, without a result."""
    _delete_result(job)
    job.state, job.reason, job.finished_at = state, why, timezone.now()
    job.result_key, job.parts = "", 0
    job.save(update_fields=["state", "reason", "finished_at", "result_key", "parts"])
    if state == Job.State.FAILED:
        publish(JobEnded(job.lab_id, job.id, done=False))


def _delete_result(job: Job) -> None:
    for number in range(job.parts + 1):  # one more: its piece was not done
        objects.delete(f"{_result_key(job)}/{number}")


def _result_key(job: Job) -> str:
    return f"labs/{job.lab_id}/jobs/{job.id}"


def _enqueue(job: Job, wait: timedelta = timedelta(0)) -> None:
    Job.objects.filter(id=job.id).update(due_at=timezone.now() + wait)
    enqueue(job.lab_id, Queue.JOBS, RUN_PIECE, [job.id], wait=wait)


def _take(job_id: UUID) -> bool:
    """Whether nobody else has the job in hand; the row stays free, so that it can be cancelled meanwhile."""
    return try_lock(f"job {job_id}")
