"""A file that a worker or the relay touches for as long as its loop goes round, for liveness probes.

Waiting for a service that is away counts as being well: a fresh process would wait as well.
"""

from celery.signals import heartbeat_sent
from django.conf import settings


@heartbeat_sent.connect
def beat(**_: object) -> None:
    if settings.HEARTBEAT:
        settings.HEARTBEAT.touch()
