import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from webapp.cases.models import Case, Cell
from webapp.crypto.fields import EncryptedTextField
from webapp.labs.models import Lab


class Reading(models.Model):  # type: ignore[django-manager-missing] # ScopedManager makes classes at run time
    """One pass over a case's cells, by a person who decides of what class each is."""

    class Kind(models.TextChoices):
        FIRST = "first", _("First")
        SECOND = "second", _("Second")
        TEACHING = "teaching", _("Teaching")

    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="readings")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="Empty until somebody takes it.",
    )
    blinded = models.BooleanField(default=False, help_text="Its reader sees no other reading of the case.")
    revision = models.PositiveIntegerField(default=0, help_text="How many decisions it has.")
    opened_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["Reading"]] = ScopedManager(lab="lab")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case"], condition=Q(kind="first"), name="one_first_reading_per_case"
            ),
            models.UniqueConstraint(
                fields=["case", "reader"], condition=Q(kind="second"), name="one_second_reading_per_reader"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} reading of case {self.case_id}"


class Decision(models.Model):
    """What a person said of a cell at one moment. It stays as it is: the last of a cell in a reading counts.

    The database lets nobody change or delete one, but seal its words anew.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="decisions")
    number = models.PositiveIntegerField(help_text="Its place among the reading's, from 1.")
    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="decisions")
    cell_class = models.CharField(max_length=32)
    words = EncryptedTextField(default="", key="reading.case.patient.key")
    at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    objects: ClassVar[models.Manager["Decision"]] = ScopedManager(lab="lab")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reading", "number"], name="decision_once_per_number"),
        ]
        indexes = [
            # What a cell is by a reading is read from the index alone.
            models.Index(
                fields=["reading", "cell", "-number"], include=["cell_class"], name="last_decision_of_a_cell"
            ),
        ]

    def __str__(self) -> str:
        return f"decision {self.number} of {self.reading_id}: {self.cell_class}"
