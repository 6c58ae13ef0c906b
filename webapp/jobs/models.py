import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from webapp.labs.models import Lab
from webapp.language.fields import SentenceField
from webapp.language.sentences import say


class Job(models.Model):
    """Work that a person waits for, in pieces of seconds, with a file as its result."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")
        EXPIRED = "expired", _("Expired")

    OPEN = (State.QUEUED, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=32)
    parameters = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0, help_text="0: not known yet.")
    cursor = models.JSONField(null=True, help_text="Where the next piece begins, as the kind has it.")
    parts = models.PositiveIntegerField(default=0, help_text="Objects that the result consists of.")
    result_key = models.CharField(
        max_length=200, blank=True, help_text="Under which its parts lie in the object store."
    )
    attempts = models.PositiveSmallIntegerField(default=0, help_text="With the piece that is next.")
    reason = SentenceField(help_text="Why it ended early.")
    cancel_requested = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField(auto_now_add=True, help_text="When its next piece is tried, or was last.")
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True, help_text="When its result is deleted.")

    objects: ClassVar[models.Manager["Job"]] = ScopedManager(lab="lab")

    class Meta:
        indexes = [
            models.Index(fields=["lab", "owner", "-created_at"], name="job_of_owner"),
            models.Index(fields=["due_at"], condition=Q(state__in=["queued", "running"]), name="job_open"),
            models.Index(fields=["expires_at"], condition=Q(state="done"), name="job_result"),
        ]

    def __str__(self) -> str:
        return f"job {self.pk} ({self.kind})"

    @property
    def error(self) -> str:
        """Why it ended early, in the language of whoever reads it."""
        return say(self.reason)

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def part_keys(self) -> list[str]:
        """Of the objects that are the result, one behind the other."""
        return [f"{self.result_key}/{number}" for number in range(self.parts)]

    @property
    def percent(self) -> float:
        return 100 * min(self.done, self.total) / self.total if self.total else 0
