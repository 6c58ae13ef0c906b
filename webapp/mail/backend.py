from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from webapp.mail.services import enqueue


class OutboxBackend(BaseEmailBackend):
    """What `EMAIL_BACKEND` names: whoever sends a message the way Django does puts it into the outbox."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            enqueue(message)
        return len(email_messages)
