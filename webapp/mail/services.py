"""Putting messages into the outbox, and handing them to the mail server, at least once each."""

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
def post(message: EmailMessage) -> None:
    """Have a message of plain text sent once the transaction commits.

    One without recipients goes the same way and to nobody: so a request that writes to nobody costs what one
    costs that does, and nobody learns from its time who has an account.
    """
    row = Message()
    row.sealed = seal_message(message, row.id)
    row.save(force_insert=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


@transaction.atomic
def deliver_next() -> bool:
    """Try to hand over the message that has been due longest; False if none is due.

    A mail server that is away, or says "later", is asked again with growing pauses for MAIL_RETRIED_HOURS. A
    message that it refuses for good, or that cannot be opened, is dropped with a line in the log: it says
    nothing of whom or what.
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
        if _for_good(error):
            _give_up(row, error)
        else:
            _put_back(row, error)
    except (OSError, smtplib.SMTPException) as error:
        _put_back(row, error)
    else:
        row.delete()
    return True


def _for_good(error: Exception) -> bool:
    """Whether trying again would change nothing: codes of 500 and above are permanent (RFC 5321, 4.2.1)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return not isinstance(error, smtplib.SMTPDataError) or error.smtp_code >= 500


def _put_back(row: Message, error: Exception) -> None:
    now = timezone.now()
    if now - row.created_at >= timedelta(hours=settings.MAIL_RETRIED_HOURS):
        return _give_up(row, error)
    wait = settings.MAIL_RETRY_FIRST_SECONDS * 2 ** min(row.attempts, 16)
    row.not_before = now + timedelta(seconds=min(wait, settings.MAIL_RETRY_LONGEST_SECONDS))
    row.attempts += 1
    row.save(update_fields=["attempts", "not_before"])
    log.warning("a message waits", message=str(row.id), attempts=row.attempts, reason=_reason(error))
    return None


def _give_up(row: Message, error: Exception) -> None:
    log.error("a message was given up", message=str(row.id), attempts=row.attempts, reason=_reason(error))
    metrics.mail_given_up.inc()
    row.delete()


def _reason(error: Exception) -> str:
    """The kind of failure and the server's code; its words may repeat an address."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__} {error.smtp_code}"
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    return type(error).__name__
