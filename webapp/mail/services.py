"""Messages are enqueued in the database and handed to the mail server, at least once each."""

import smtplib
from datetime import timedelta

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import connection, transaction
from django.utils import timezone

from webapp.crypto.cipher import Unreadable
from webapp.mail.models import Message
from webapp.mail.sealing import open_message, seal_message
from webapp.telemetry import metrics

CHANNEL = "mail"  # PostgreSQL NOTIFY channel that wakes the relay on commit

log = structlog.get_logger(__name__)


@transaction.atomic
def enqueue(message: EmailMessage) -> None:
    """Send a message of plain text once the transaction commits.

    A message without recipients goes the same way, to nobody. So a request that writes to nobody takes as
    long as one that writes to somebody, and its time does not tell who has an account.
    """
    row = Message()
    row.sealed = seal_message(message, row.id)
    row.save(force_insert=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


@transaction.atomic
def deliver_next() -> bool:
    """Try to hand over the message that has been due longest; False if none is due.

    While the mail server is away, or says "later", the message is deferred: it is retried for
    MAIL_RETRY_HOURS, and the pauses back off. One that the server rejects for good, or that cannot be
    opened, is dropped. The log says so, but neither to whom nor what.
    """
    due = Message.objects.filter(not_before__lte=timezone.now()).order_by("not_before")
    row = due.select_for_update(skip_locked=True).first()
    if row is None:
        return False
    try:
        message = open_message(row)
        if message.to:
            get_connection(settings.MAIL_TRANSPORT).send_messages([message])
            metrics.mail_sent.inc()
    except (Unreadable, ValueError, smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
        if _is_permanent(error):
            _drop(row, error)
        else:
            _defer(row, error)
    except (OSError, smtplib.SMTPException) as error:
        _defer(row, error)
    else:
        row.delete()
    return True


def _is_permanent(error: Exception) -> bool:
    """Whether no retry would help: codes of 500 and above are permanent (RFC 5321, 4.2.1)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return not isinstance(error, smtplib.SMTPDataError) or error.smtp_code >= 500


def _defer(row: Message, error: Exception) -> None:
    now = timezone.now()
    if now - row.created_at >= timedelta(hours=settings.MAIL_RETRY_HOURS):
        return _drop(row, error)
    wait = settings.MAIL_RETRY_FIRST_SECONDS * 2 ** min(row.attempts, 16)
    row.not_before = now + timedelta(seconds=min(wait, settings.MAIL_RETRY_LONGEST_SECONDS))
    row.attempts += 1
    row.save(update_fields=["attempts", "not_before"])
    log.warning("message deferred", message=str(row.id), attempts=row.attempts, reason=_reason(error))
    return None


def _drop(row: Message, error: Exception) -> None:
    log.error("message dropped", message=str(row.id), attempts=row.attempts, reason=_reason(error))
    metrics.mail_dropped.inc()
    row.delete()


def _reason(error: Exception) -> str:
    """The kind of failure and the server's code; its words may repeat an address."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__} {error.smtp_code}"
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    return type(error).__name__
