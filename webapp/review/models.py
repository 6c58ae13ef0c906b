import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from webapp.cases.models import UNDER_WAY, Case, Cell
from webapp.crypto.fields import EncryptedTextField
from webapp.labs.models import Lab
from webapp.registry.models import ModelVersion
from webapp.review.remark_models import Remark, RuleAnswer
from webapp.review.second_models import Agreement, Disagreement, SecondReader

__all__ = [
    "Agreement",
    "CellState",
    "Decision",
    "Disagreement",
    "Gesture",
    "Reading",
    "Remark",
    "RuleAnswer",
    "SecondReader",
]


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
    finished_at = models.DateTimeField(null=True, help_text="When its reader said that they had finished.")
    finished_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    unblinded_at = models.DateTimeField(
        null=True,
        help_text="When it was compared with the first: since then others see it, and its reader them.",
    )

    is_new = False
    """Whether it was just opened."""

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

    @property
    def is_over(self) -> bool:
        """Whether nothing is decided in it any more. What learners do is none of the case's."""
        if self.kind == self.Kind.TEACHING:
            return False
        is_read = self.kind == self.Kind.SECOND and self.finished_at is not None
        return is_read or self.case.review not in UNDER_WAY


class Gesture(models.Model):  # type: ignore[django-manager-missing] # made at run time
    """What a person did at once, to one cell or to many: what comes with it is undone with it.

    Its id is its client's, so that one which is sent again is known. The database lets nobody change or
    delete one.
    """

    class Kind(models.TextChoices):
        DECIDE = "decide"
        UNDO = "undo"

    id = models.UUIDField(primary_key=True, editable=False)
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="gestures")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    client = models.UUIDField(help_text="The page or program that it came from.")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    undoes = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    body_sha256 = models.BinaryField(max_length=32, help_text="Of what was asked for, without words.")
    revision = models.PositiveIntegerField(help_text="The reading's, after it.")
    n = models.PositiveIntegerField(help_text="How many decisions came with it: the last up to `revision`.")
    at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["Gesture"]] = ScopedManager(lab="lab")

    class Meta:
        indexes = [models.Index(fields=["reading", "by", "at"], name="gesture_of_a_person")]

    def __str__(self) -> str:
        return f"{self.kind} {self.id} of {self.reading_id}"


class Decision(models.Model):
    """What a person said of a cell at one moment. It stays as it is: the last of a cell in a reading counts.

    The database lets nobody change or delete one, but seal its words anew.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="decisions")
    number = models.PositiveIntegerField(help_text="Its place among the reading's, from 1.")
    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="decisions")
    cell_class = models.CharField(max_length=32, help_text="Empty: what was decided was taken back.")
    words = EncryptedTextField(default="", key="reading.case.patient.key")
    at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    gesture = models.ForeignKey(
        Gesture,
        null=True,
        on_delete=models.PROTECT,
        related_name="decisions",
        help_text="That it came with; older ones have none.",
    )
    confirmed = models.BooleanField(
        default=False, db_default=False, help_text="The person agreed with what was suggested."
    )
    reinstates = models.PositiveIntegerField(
        null=True,
        help_text="By undoing: the number of the decision that stands again; 0: none does. Else empty.",
    )
    # What was suggested at that moment, written by the same statement.
    suggested_class = models.CharField(max_length=32, default="", db_default="", help_text="Empty: nothing.")
    suggested_confidence = models.FloatField(null=True)
    suggested_flagged = models.BooleanField(null=True)
    model_version = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="+")

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


class CellState(models.Model):
    """The last decision of a cell in a reading, so that it is found at once.

    A trigger writes it in the statement that adds decisions; the product itself may only read it.
    """

    # Copied from a decision, of which the database checks them.
    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="states", db_constraint=False)
    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="states", db_constraint=False)
    number = models.PositiveIntegerField(help_text="Of the decision.")
    stands_for = models.PositiveIntegerField(help_text="The number of the decision that it says again.")
    cell_class = models.CharField(max_length=32)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    gesture = models.ForeignKey(
        Gesture, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )

    objects: ClassVar[models.Manager["CellState"]] = ScopedManager(lab="reading__lab")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reading", "cell"], name="one_state_of_a_cell")]
        indexes = [models.Index(fields=["reading", "number"], name="state_by_number")]

    def __str__(self) -> str:
        return f"cell {self.cell_id} in {self.reading_id}: {self.cell_class or 'undecided'}"
