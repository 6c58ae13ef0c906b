"""A file that a worker, beat or the relay touches for as long as its loop goes round, for liveness probes.

Waiting for a service that is away counts as being well: a fresh process would wait as well.
"""

from celery.signals import after_task_publish, heartbeat_sent
from django.conf import settings


@heartbeat_sent.connect
@after_task_publish.connect  # beat's only sign of life, every ten seconds
def beat(**_: object) -> None:
    if settings.HEARTBEAT:
        settings.HEARTBEAT.touch()
