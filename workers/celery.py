"""The Celery application: `celery -A workers worker -Q QUEUES` (`webapp.outbox.queues`).

Times hold together (`webapp/config/settings/limits.py`): a chunk's lease outlives the task that holds it, and
the broker redelivers an unacknowledged message only after both (Celery docs, Redis visibility timeout:
set in all three places).

SIGTERM lets a worker finish what it has in hand, however long that takes. Where it would be killed after a
while, as on Kubernetes, REMAP_SIGTERM=SIGQUIT makes that Celery's soft shutdown: after
WORKER_SOFT_SHUTDOWN_SECONDS it releases its claims and requeues what is left.
"""

from typing import Any

from celery import Celery, Task
from celery.schedules import crontab
from celery.signals import setup_logging
from django.conf import settings
from django_scopes import scope
from structlog.contextvars import bound_contextvars

from webapp.outbox.queues import LIMITS, Queue
from webapp.telemetry import tracing

VISIBILITY = {"visibility_timeout": settings.BROKER_VISIBILITY_TIMEOUT_SECONDS}
NIGHTLY = {"expires": settings.NIGHTLY_TASK_EXPIRES_SECONDS}


class LabTask(Task):  # type: ignore[type-arg]
    """A task of one lab: its first argument is the lab's id, and all it queries is scoped to that lab."""

    def __call__(self, lab_id: str, *args: Any) -> Any:
        tracing.describe({"hematovision.lab": lab_id})
        with scope(lab=lab_id), bound_contextvars(lab=lab_id):
            return self.run(*args)


app = Celery(
    "hematovision",
    broker=settings.BROKER_URL,
    include=["workers.heartbeat", "workers.tasks", "workers.telemetry"],
)
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_time_limit=LIMITS[Queue.BULK].hard_seconds,
    task_soft_time_limit=LIMITS[Queue.BULK].soft_seconds,
    task_serializer="json",
    accept_content=["json"],
    task_default_queue=Queue.MAINTENANCE.value,
    worker_prefetch_multiplier=1,
    worker_send_task_events=True,
    task_send_sent_event=True,
    worker_soft_shutdown_timeout=settings.WORKER_SOFT_SHUTDOWN_SECONDS,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_use_ssl=settings.BROKER_OPTIONS or None,
    broker_transport_options={
        **VISIBILITY,
        "socket_connect_timeout": settings.BROKER_CONNECT_TIMEOUT_SECONDS,
        "socket_keepalive": True,
        "health_check_interval": settings.BROKER_HEALTH_CHECK_SECONDS,
    },
    result_backend_transport_options=VISIBILITY,
    visibility_timeout=VISIBILITY["visibility_timeout"],
    timezone="UTC",
    beat_schedule={
        "recover-lost-chunks": {
            "task": "recover_lost_chunks",
            "schedule": settings.CHUNK_RECOVERY_INTERVAL_SECONDS,
            "options": {"expires": settings.RECOVERY_EXPIRES_SECONDS},
        },
        "recover-lost-events": {
            "task": "recover_lost_events",
            "schedule": settings.EVENT_RECOVERY_INTERVAL_SECONDS,
            "options": {"expires": settings.EVENT_RECOVERY_INTERVAL_SECONDS},
        },
        "recover-lost-jobs": {
            "task": "recover_lost_jobs",
            "schedule": settings.JOB_RECOVERY_INTERVAL_SECONDS,
            "options": {"expires": settings.JOB_RECOVERY_INTERVAL_SECONDS},
        },
        "find-overdue": {
            "task": "find_overdue",
            "schedule": settings.OVERDUE_INTERVAL_SECONDS,
            "options": {"expires": settings.OVERDUE_INTERVAL_SECONDS},
        },
        "find-overdue-calls": {
            "task": "find_overdue_calls",
            "schedule": settings.OVERDUE_CALLS_INTERVAL_SECONDS,
            "options": {"expires": settings.OVERDUE_CALLS_INTERVAL_SECONDS},
        },
        "finish-abandoned-uploads": {
            "task": "finish_abandoned_uploads",
            "schedule": settings.UPLOAD_ABANDONED_INTERVAL_SECONDS,
            "options": {"expires": settings.UPLOAD_ABANDONED_INTERVAL_SECONDS},
        },
        "anchor-audit": {
            "task": "anchor_audit",
            "schedule": crontab(hour="2", minute="30"),
            "options": NIGHTLY,
        },
        "verify-audit": {
            "task": "verify_audit",
            "schedule": crontab(hour="3", minute="0"),
            "options": NIGHTLY,
        },
        "check-processing": {
            "task": "check_processing",
            "schedule": crontab(hour="2", minute="0"),
            "options": NIGHTLY,
        },
        "verify-results": {
            "task": "verify_results",
            "schedule": crontab(hour="2", minute="30"),
            "options": NIGHTLY,
        },
        "delete-expired": {
            "task": "delete_expired",
            "schedule": crontab(hour="1", minute="30"),
            "options": NIGHTLY,
        },
        "delete-sent-tasks": {
            "task": "delete_sent_tasks",
            "schedule": settings.OUTBOX_CLEANUP_INTERVAL_SECONDS,
            "options": {"expires": settings.OUTBOX_CLEANUP_INTERVAL_SECONDS},
        },
    },
)


@setup_logging.connect
def _keep_django_logging(**_: Any) -> None:
    """Django has set logging up already; Celery must not set up its own."""
