"""Celery tasks: each fetches, calls a service, and returns."""

from datetime import timedelta
from uuid import UUID

import structlog
from celery.signals import worker_ready, worker_shutting_down
from celery.worker.consumer import Consumer
from django.conf import settings

from webapp.accounts import services as accounts
from webapp.audit.anchors import anchor
from webapp.audit.verification import Verified, verify_all
from webapp.cases.processing import unsettled
from webapp.inference import services as inference
from webapp.jobs import services as jobs
from webapp.labs import invitations, tokens
from webapp.notifications import services as notifications
from webapp.outbox import deliveries
from webapp.outbox import services as outbox
from webapp.outbox.events import CONSUME
from webapp.outbox.queues import LIMITS, Queue
from webapp.results import calls
from webapp.results import verification as results
from webapp.storage.objects import StorageUnavailable
from webapp.telemetry import metrics
from webapp.uploads import services as uploads
from webapp.worklist import overdue
from workers.celery import LabTask, app
from workers.chunks import work_on

log = structlog.get_logger(__name__)


@app.task(base=LabTask, name=inference.CLASSIFY, bind=True)
def classify_chunk(self: LabTask, chunk_id: str) -> None:
    info = self.request.delivery_info or {}
    holder = f"{self.request.hostname}/{self.request.id}"
    work_on(int(chunk_id), holder=holder, redelivered=bool(info.get("redelivered")))


@app.task(
    base=LabTask,
    name=CONSUME,
    soft_time_limit=LIMITS[Queue.EVENTS].soft_seconds,
    time_limit=LIMITS[Queue.EVENTS].hard_seconds,
)
def consume(delivery_id: str) -> None:
    deliveries.consume(int(delivery_id))


@app.task(
    base=LabTask,
    name=jobs.RUN_PIECE,
    soft_time_limit=LIMITS[Queue.JOBS].soft_seconds,
    time_limit=LIMITS[Queue.JOBS].hard_seconds,
)
def run_piece(job_id: str) -> None:
    jobs.run_piece(UUID(job_id))


@worker_ready.connect
def release_claims_of_a_killed_worker(sender: Consumer, **_: object) -> None:
    inference.release_claims(sender.hostname)


@worker_shutting_down.connect
def release_claims_before_shutdown(sender: str, how: str, **_: object) -> None:
    if how == "Cold":  # else it finishes what it has in hand
        inference.release_claims(sender, blameless=True)


@app.task(name="recover_lost_chunks")
def recover_lost_chunks() -> int:
    return inference.recover_lost()


@app.task(name="recover_lost_events")
def recover_lost_events() -> int:
    return deliveries.recover_lost()


@app.task(name="recover_lost_jobs")
def recover_lost_jobs() -> int:
    return jobs.recover_lost()


@app.task(name="find_overdue")
def find_overdue() -> int:
    return overdue.find()


@app.task(name="find_overdue_calls")
def find_overdue_calls() -> int:
    return calls.find_overdue()


@app.task(name="finish_abandoned_uploads")
def finish_abandoned_uploads() -> int:
    return uploads.finish_abandoned()


@app.task(name="delete_sent_tasks")
def delete_sent_tasks() -> int:
    return outbox.delete_sent(older_than=timedelta(seconds=settings.OUTBOX_SENT_KEPT_SECONDS))


@app.task(
    name="delete_expired",
    soft_time_limit=settings.NIGHTLY_TASK_SOFT_TIME_LIMIT_SECONDS,
    time_limit=settings.NIGHTLY_TASK_TIME_LIMIT_SECONDS,
)
def delete_expired() -> None:
    """Delete what has expired, once people have had time to see that it has."""
    shown = timedelta(days=settings.EXPIRED_SHOWN_DAYS)
    log.info(
        "expired things deleted",
        sessions=accounts.delete_expired_sessions(),
        invitations=invitations.delete_expired(older_than=shown),
        tokens=tokens.delete_expired(older_than=shown),
        job_results=jobs.delete_expired(),
        notifications=notifications.delete_old(),
    )


@app.task(
    name="check_processing",
    soft_time_limit=settings.NIGHTLY_TASK_SOFT_TIME_LIMIT_SECONDS,
    time_limit=settings.NIGHTLY_TASK_TIME_LIMIT_SECONDS,
)
def check_processing() -> None:
    """Tell of cases whose stored state disagrees with their images. A person repairs: something is wrong."""
    for one in unsettled():
        metrics.cases_unsettled.inc()
        log.error(
            "case disagrees with its images",
            case=str(one.case),
            lab=str(one.lab),
            stored=one.stored,
            by_images=one.by_images,
        )


@app.task(
    name="verify_results",
    soft_time_limit=settings.NIGHTLY_TASK_SOFT_TIME_LIMIT_SECONDS,
    time_limit=settings.NIGHTLY_TASK_TIME_LIMIT_SECONDS,
)
def verify_results() -> None:
    """Tell of signed results that somebody altered behind the product's back."""
    for finding in results.verify_all(results.Verified()):
        metrics.results_altered.inc()
        log.error(
            "a signed result was altered",
            case=str(finding.case),
            lab=str(finding.lab),
            problem=finding.problem,
        )


@app.task(
    name="anchor_audit",
    autoretry_for=StorageUnavailable,
    retry_backoff=settings.ANCHOR_RETRY_FIRST_SECONDS,
    retry_backoff_max=settings.ANCHOR_RETRY_LONGEST_SECONDS,
    max_retries=settings.ANCHOR_RETRIES,
)
def anchor_audit() -> int:
    return len(anchor())


@app.task(
    name="verify_audit",
    soft_time_limit=settings.NIGHTLY_TASK_SOFT_TIME_LIMIT_SECONDS,
    time_limit=settings.NIGHTLY_TASK_TIME_LIMIT_SECONDS,
)
def verify_audit() -> None:
    for finding in verify_all(Verified()):
        log.error("audit trail", chain=str(finding.chain), seq=finding.seq, problem=finding.problem)
