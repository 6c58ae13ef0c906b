"""The Celery application: `celery -A workers worker -Q interactive|bulk`.

Times hold together: a task ends within TIME_LIMIT, a chunk's lease outlives it, and the broker hands an
unacknowledged message out again only after both (Celery docs, Redis visibility timeout: set in all three
places).

SIGTERM lets a worker finish what it has in hand, however long that takes. Where it would be killed after a
while, as on Kubernetes, REMAP_SIGTERM=SIGQUIT makes that Celery's soft shutdown: after SOFT_SHUTDOWN what is
left is given back. Celery does nothing else in that time, not even stop the clocks of tasks that are done,
so it is below SOFT_TIME_LIMIT.
"""

from typing import Any

from celery import Celery, Task
from celery.schedules import crontab
from celery.signals import setup_logging
from django.conf import settings
from django_scopes import scope
from structlog.contextvars import bound_contextvars

from webapp.telemetry import tracing

SOFT_TIME_LIMIT, TIME_LIMIT = 45, 55
SOFT_SHUTDOWN = 30
VISIBILITY = {"visibility_timeout": 300}


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
    task_time_limit=TIME_LIMIT,
    task_soft_time_limit=SOFT_TIME_LIMIT,
    task_serializer="json",
    accept_content=["json"],
    task_default_queue="maintenance",
    worker_prefetch_multiplier=1,
    worker_send_task_events=True,
    task_send_sent_event=True,
    worker_soft_shutdown_timeout=SOFT_SHUTDOWN,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_use_ssl=settings.BROKER_OPTIONS or None,
    broker_transport_options={
        **VISIBILITY,
        "socket_connect_timeout": 3,  # a broker without TLS never answers a handshake
        "socket_keepalive": True,
        "health_check_interval": 10,
    },
    result_backend_transport_options=VISIBILITY,
    visibility_timeout=VISIBILITY["visibility_timeout"],
    timezone="UTC",
    beat_schedule={
        "recover-lost-chunks": {"task": "recover_lost_chunks", "schedule": 10, "options": {"expires": 60}},
        "finish-abandoned-uploads": {
            "task": "finish_abandoned_uploads",
            "schedule": 600,
            "options": {"expires": 600},
        },
        "anchor-audit": {
            "task": "anchor_audit",
            "schedule": crontab(hour="2", minute="30"),
            "options": {"expires": 3600},
        },
        "verify-audit": {
            "task": "verify_audit",
            "schedule": crontab(hour="3", minute="0"),
            "options": {"expires": 3600},
        },
        "forget-expired": {
            "task": "forget_expired",
            "schedule": crontab(hour="1", minute="30"),
            "options": {"expires": 3600},
        },
        "forget-sent-tasks": {"task": "forget_sent_tasks", "schedule": 600, "options": {"expires": 600}},
    },
)


@setup_logging.connect
def _keep_django_logging(**_: Any) -> None:
    """Django has set logging up already; Celery must not set up its own."""
