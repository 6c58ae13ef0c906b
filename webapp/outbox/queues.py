"""The Celery queues: what waits in each, its limits, and which worker serves it.

The one-machine stack, docker-compose.yml and k8s/ start workers as WORKERS says; tests hold them to it.
"""

from dataclasses import dataclass

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Queue(models.TextChoices):
    """A person waiting at the screen is never behind a night's bulk upload, nor what follows from it."""

    INTERACTIVE = "interactive", _("Interactive")
    BULK = "bulk", _("Bulk")
    EVENTS = "events", _("Events")
    JOBS = "jobs", _("Jobs")
    MAINTENANCE = "maintenance", _("Maintenance")


CHUNKS = (Queue.INTERACTIVE, Queue.BULK)
"""Where chunks wait for the model."""


@dataclass(frozen=True)
class Limits:
    """What holds for a queue.

    Attributes:
        depth: tasks that the relay lets wait in the broker; the fewer, the fairer the turns of labs.
        soft_seconds: after which a task is asked to end, unless it has a limit of its own.
        hard_seconds: after which the process that works on a task is killed.
    """

    depth: int
    soft_seconds: int
    hard_seconds: int


_USUAL = Limits(
    settings.RELAY_QUEUE_DEPTH, settings.TASK_SOFT_TIME_LIMIT_SECONDS, settings.TASK_TIME_LIMIT_SECONDS
)
LIMITS: dict[Queue, Limits] = {
    Queue.INTERACTIVE: _USUAL,
    Queue.BULK: _USUAL,
    Queue.EVENTS: Limits(
        settings.RELAY_QUEUE_DEPTH, settings.EVENT_SOFT_TIME_LIMIT_SECONDS, settings.EVENT_TIME_LIMIT_SECONDS
    ),
    Queue.JOBS: Limits(
        settings.RELAY_JOBS_DEPTH, settings.TASK_SOFT_TIME_LIMIT_SECONDS, settings.TASK_TIME_LIMIT_SECONDS
    ),
    Queue.MAINTENANCE: _USUAL,
}


@dataclass(frozen=True)
class Worker:
    """A program `worker-<name>`: the queues it serves, and its processes on one machine."""

    queues: tuple[Queue, ...]
    concurrency: int


WORKERS: dict[str, Worker] = {
    "interactive": Worker((Queue.INTERACTIVE,), 1),
    "bulk": Worker((Queue.BULK, Queue.MAINTENANCE), 2),
    # Two, so that a consumer that hangs leaves one to the others (`webapp.outbox.deliveries`).
    "events": Worker((Queue.EVENTS, Queue.JOBS), 2),
}
