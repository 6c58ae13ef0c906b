"""The outbox relay: `python -m workers.relay`.

Moves due tasks from the database to the broker, labs taking turns, and keeps only a few waiting in the
broker, so that the order stays fair while the backlog grows. Several relays may run; each entry is taken by
one. Beside that, it hands messages to the mail server (`workers.mail_relay`).
"""

import signal
from threading import Event

import kombu.exceptions
import psycopg
import redis
import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from webapp.operations.metrics import InstallationMetrics
from webapp.outbox import services
from webapp.outbox.models import OutboxEntry
from webapp.outbox.queues import LIMITS
from webapp.telemetry import exposition, metrics, tracing
from webapp.telemetry.context import carried, resumed
from workers import heartbeat
from workers.celery import app
from workers.mail_relay import MailRelay
from workers.telemetry import CONTEXT

log = structlog.get_logger("workers.relay")


def main() -> None:
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    tracing.set_service_name("relay")
    exposition.serve(InstallationMetrics())
    log.info("relay started")
    broker = redis.Redis.from_url(
        settings.BROKER_URL,
        socket_timeout=settings.RELAY_BROKER_TIMEOUT_SECONDS,
        socket_connect_timeout=settings.BROKER_CONNECT_TIMEOUT_SECONDS,
        **settings.BROKER_OPTIONS,
    )
    mail_relay = MailRelay(stopping)
    mail_relay.start()
    while not stopping.is_set() and mail_relay.is_alive():
        try:
            _listen()
            while not stopping.is_set() and mail_relay.is_alive():
                heartbeat.beat()
                full = _relay_once(broker)
                _wait(settings.RELAY_FULL_PAUSE_SECONDS if full else settings.RELAY_IDLE_PAUSE_SECONDS)
        except (redis.RedisError, kombu.exceptions.OperationalError) as error:
            log.warning("broker unavailable; tasks wait in the outbox", error=repr(error))
        except (DatabaseError, InterfaceError, psycopg.Error) as error:
            log.warning("database unavailable", error=repr(error))
        connection.close()
        heartbeat.beat()
        stopping.wait(settings.RELAY_RETRY_SECONDS)
    stopping.set()
    mail_relay.join(timeout=settings.RELAY_LAST_MESSAGE_SECONDS)
    log.info("relay stopped")


def _relay_once(broker: redis.Redis) -> bool:
    """Fill every queue up to its depth; True if a queue had more due than it has room for."""
    any_full = False
    for queue, limits in LIMITS.items():
        room = limits.depth - int(broker.llen(queue))
        if room <= 0 or services.send_due(queue, room, _send) == room:
            any_full = True
    return any_full


def _send(entry: OutboxEntry) -> None:
    with resumed(entry.context), tracing.message("send", entry.queue, entry.task):
        app.send_task(
            entry.task,
            args=[str(entry.lab_id), *entry.args],
            queue=entry.queue,
            headers={CONTEXT: entry.context | carried()},
            retry=False,
        )
    metrics.relay_sent.labels(entry.queue).inc()


def _listen() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {services.CHANNEL}")


def _wait(seconds: float) -> None:
    """Until something is put into the outbox, or `seconds`."""
    connection.ensure_connection()
    for _ in connection.connection.notifies(timeout=seconds, stop_after=1):
        pass


if __name__ == "__main__":
    main()
