import uuid

from django.db import models
from django.utils import timezone


class Message(models.Model):
    """A message that is not yet handed over; then its row is gone. It may hold codes and links that let in.

    Read by the relay alone, and of no lab.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sealed = models.TextField(help_text="Recipients, subject and text, as `webapp.crypto.texts` writes them.")
    created_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(default=timezone.now, help_text="When it is tried next.")

    class Meta:
        indexes = [models.Index(fields=["not_before"], name="mail_due")]

    def __str__(self) -> str:
        return f"message {self.id}"
