from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from webapp.cases.models import Case
from webapp.labs.models import Membership


class Kind(models.TextChoices):
    """What people are told of, in the words of the page where they choose."""

    UPLOAD_FINISHED = "upload_finished", _("All images of a case of mine are classified")
    FILES_UNUSABLE = "files_unusable", _("Files of a case of mine were refused or failed")
    SECOND_READER = "second_reader", _("I am asked to read a case second, or may")
    READINGS_COMPARED = "readings_compared", _("Both readings of a case that I read are finished")
    CALL_OVERDUE = "call_overdue", _("Nobody was told of a critical result in time")
    JOB_ENDED = "job_ended", _("An export of mine is ready, or failed")
    CASE_ASSIGNED = "case_assigned", _("A case is assigned to me")
    CASES_OVERDUE = "cases_overdue", _("Cases are overdue that are mine, or nobody's and mine to assign")
    CASES_RELEASED = "cases_released", _("Cases are mine to assign again, because those who had them left")


class Notification(models.Model):
    """Something that one member is told. It names no patient and no accession: the case says those itself."""

    recipient = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=32, choices=Kind.choices)
    case = models.ForeignKey(Case, null=True, on_delete=models.CASCADE, related_name="+")
    facts = models.JSONField(default=dict, help_text="Counts, and names of our own.")
    created_at = models.DateTimeField(default=timezone.now, help_text="When it last happened.")
    read_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["Notification"]] = ScopedManager(lab="recipient__lab")

    class Meta:
        constraints = [
            # What happens again before it is read is told once.
            models.UniqueConstraint(
                fields=["recipient", "kind", "case"],
                condition=Q(read_at=None, case__isnull=False),
                name="one_unread_of_a_case_and_kind",
            )
        ]
        indexes = [
            models.Index(fields=["recipient", "-created_at"], name="notification_inbox"),
            models.Index(fields=["recipient"], condition=Q(read_at=None), name="notification_unread"),
            models.Index(fields=["created_at"], name="notification_old"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.recipient_id}"

    @property
    def job(self) -> str:
        """What the job is called that it is of, in the language of whoever reads it."""
        label = self.facts.get("label", "")
        return gettext(label) if label else ""


class Preference(models.Model):
    """Where a member is told of a kind; without one, as DEFAULT says."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=32, choices=Kind.choices)
    in_page = models.BooleanField()
    by_mail = models.BooleanField()

    objects: ClassVar[models.Manager["Preference"]] = ScopedManager(lab="membership__lab")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["membership", "kind"], name="one_preference_per_kind")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.membership_id}"
