"""Hands waiting messages to the mail server, in a thread of the relay.

It is no Celery task, for two reasons. Workers open pictures of strangers, so they have no way out of the
installation. And a message in the broker could be read there.
"""

from threading import Event, Thread

import psycopg
import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from webapp.mail import services

log = structlog.get_logger("workers.mail_relay")


class MailRelay(Thread):
    """Delivers until `stopping` is set. If it ends by itself, the relay ends too and is started again."""

    def __init__(self, stopping: Event) -> None:
        super().__init__(name="mail-relay", daemon=True)
        self._stopping = stopping

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                with connection.cursor() as cursor:
                    cursor.execute(f"LISTEN {services.CHANNEL}")
                while not self._stopping.is_set():
                    if not services.deliver_next():
                        self._wait()
            except (DatabaseError, InterfaceError, psycopg.Error) as error:
                log.warning("database unavailable; messages wait", error=repr(error))
                connection.close()
                self._stopping.wait(settings.RELAY_RETRY_SECONDS)
        connection.close()

    def _wait(self) -> None:
        """Until a message is posted, or a moment."""
        connection.ensure_connection()
        for _ in connection.connection.notifies(timeout=settings.RELAY_IDLE_PAUSE_SECONDS, stop_after=1):
            pass
