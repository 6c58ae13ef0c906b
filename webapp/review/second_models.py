"""The second reader of a case: who is asked, how far both agree, and how their disagreements are settled."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from webapp.cases.models import Case, Cell
from webapp.labs.models import Lab
from webapp.rules.models import Rule


class SecondReader(models.Model):
    """That a second person is to read a case: one who was named, or anybody who may."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="second_readers")
    asked = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Empty: anybody who may read second.",
    )
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    rule = models.ForeignKey(
        Rule, null=True, on_delete=models.PROTECT, related_name="+", help_text="That asked; else a person."
    )
    at = models.DateTimeField(db_default=Now())
    reading = models.OneToOneField(
        "review.Reading",
        null=True,
        on_delete=models.PROTECT,
        related_name="second_reader",
        help_text="Once somebody reads.",
    )
    withdrawn_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["SecondReader"]] = ScopedManager(lab="lab")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(reading=None, withdrawn_at=None),
                name="one_open_asking_for_a_second_reader",
            )
        ]

    def __str__(self) -> str:
        return f"second reader of case {self.case_id}"

    @property
    def is_begun(self) -> bool:
        """Whether somebody did something in the reading."""
        reading = self.reading
        return reading is not None and (reading.revision > 0 or reading.remarks.exists())

    @property
    def state(self) -> str:
        if self.reading is not None and self.reading.finished_at is not None:
            return "finished"
        return "reading" if self.is_begun else "asked"


class Agreement(models.Model):  # type: ignore[django-manager-missing] # made at run time
    """How far the first and a second reading of a case agreed when both were finished, before anything was
    settled. It stays as it is."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="agreements")
    first = models.ForeignKey("review.Reading", on_delete=models.PROTECT, related_name="+")
    second = models.OneToOneField("review.Reading", on_delete=models.PROTECT, related_name="agreement")
    first_revision = models.PositiveIntegerField()
    second_revision = models.PositiveIntegerField()
    confusion = models.JSONField(help_text="Cells by the first reading's class, then by the second's.")
    cells = models.PositiveIntegerField(help_text="That both decided.")
    agreed = models.PositiveIntegerField(help_text="Of these, with the same class.")
    by_one = models.PositiveIntegerField(help_text="Cells that only one of them decided.")
    kappa = models.FloatField(null=True, help_text="Cohen's; empty where it is undefined.")
    made_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["Agreement"]] = ScopedManager(lab="lab")

    def __str__(self) -> str:
        return f"agreement on case {self.case_id}"


class Disagreement(models.Model):
    """A cell on which an agreement's readings differ, as it was then, and how it was settled."""

    class How(models.TextChoices):
        THIRD = "third", _("By a third person")
        TOGETHER = "together", _("By both readers together")

    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="disagreements")
    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="+")
    first_class = models.CharField(max_length=32, help_text="Empty: the first reading left it undecided.")
    second_class = models.CharField(max_length=32, help_text="Empty: the second left it undecided.")
    settled_class = models.CharField(max_length=32, default="", db_default="", help_text="Empty: it is open.")
    how = models.CharField(max_length=8, choices=How.choices, default="", db_default="")
    in_favour_of = models.CharField(
        max_length=6,
        default="",
        db_default="",
        help_text="`first` or `second` where all were settled for that reading at once.",
    )
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    settled_with = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The other reader, where both settled it.",
    )
    settled_at = models.DateTimeField(null=True)
    number = models.PositiveIntegerField(
        null=True, help_text="Of the decision in the first reading that it became."
    )
    proposed_class = models.CharField(
        max_length=32,
        default="",
        db_default="",
        help_text="By one of both readers; it counts once the other confirms it.",
    )
    proposed_for = models.CharField(
        max_length=6,
        default="",
        db_default="",
        help_text="As `in_favour_of`, of what is proposed.",
    )
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    proposed_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The other reader, who is to confirm it.",
    )
    proposed_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["Disagreement"]] = ScopedManager(lab="lab")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agreement", "cell"], name="one_disagreement_of_a_cell"),
            models.CheckConstraint(
                condition=Q(settled_class="", settled_by=None, settled_at=None, how="")
                | (~Q(settled_class="") & ~Q(how="") & Q(settled_by__isnull=False, settled_at__isnull=False)),
                name="disagreement_settled_whole",
            ),
            models.CheckConstraint(
                condition=Q(proposed_class="", proposed_by=None, proposed_to=None, proposed_at=None)
                | (
                    ~Q(proposed_class="")
                    & Q(proposed_by__isnull=False, proposed_to__isnull=False, proposed_at__isnull=False)
                    & ~Q(proposed_by=F("proposed_to"))
                ),
                name="disagreement_proposed_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"cell {self.cell_id}: {self.first_class} or {self.second_class}"
