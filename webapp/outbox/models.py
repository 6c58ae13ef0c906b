from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q, Value
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from webapp.labs.models import Lab


class OutboxEntry(models.Model):
    """A task to be sent to the broker, written in the transaction that makes it due.

    Read by the relay alone, which serves all labs; so it is not scoped to one.
    """

    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    queue = models.CharField(max_length=32)
    task = models.CharField(max_length=100)
    args = ArrayField(models.TextField())
    not_before = models.DateTimeField(help_text="When it may be sent.")
    context = models.JSONField(
        default=dict,
        db_default=Value({}, models.JSONField()),
        help_text="What its log lines are known by: `webapp.telemetry.context`.",
    )
    sent_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "outbox entries"  # untranslated: no page shows it
        indexes = [
            models.Index(fields=["queue", "lab", "id"], condition=Q(sent_at=None), name="outbox_to_send"),
            models.Index(fields=["task", "args"], name="outbox_by_subject"),
            models.Index(fields=["queue", "lab", "sent_at"], condition=~Q(sent_at=None), name="outbox_sent"),
        ]

    def __str__(self) -> str:
        return f"{self.task}({', '.join(self.args)})"


class Delivery(models.Model):
    """An event on its way to one consumer; once that has run, its row is gone.

    Read by workers and operators alone, for all labs; so it is not scoped to one.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DEAD = "dead", _("Gave up")

    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    consumer = models.CharField(max_length=100)
    event = models.JSONField(help_text="Its fields: ids and counts.")
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True, help_text="What stopped the last attempt.")
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now, help_text="When it is tried, or was last.")

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="waiting"), name="delivery_due"),
            models.Index(fields=["consumer", "state"], name="delivery_of_consumer"),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk} to {self.consumer}"

    @property
    def why(self) -> str:
        """What stopped the last attempt: the words of an exception, or ours in the reader's language."""
        return gettext(self.error) if self.error else ""
