from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django_scopes import ScopedManager

from webapp.cases.models import Case
from webapp.labs.models import Lab, Membership
from webapp.writing.fields import LineField


class SavedFilter(models.Model):
    """What a member asks of the worklist again and again, under a name of their own."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    name = LineField(max_length=60, help_text="Never a patient's.")
    query = models.JSONField(help_text="As `webapp.worklist.filters.Wanted.query` gives it.")
    is_default = models.BooleanField(default=False, help_text="The worklist begins with it.")

    objects: ClassVar[models.Manager["SavedFilter"]] = ScopedManager(lab="membership__lab")

    class Meta:
        ordering: ClassVar[list[str]] = ["name", "id"]
        constraints = [
            models.UniqueConstraint("membership", Lower("name"), name="one_filter_per_name"),
            models.UniqueConstraint(
                fields=["membership"], condition=Q(is_default=True), name="one_default_filter"
            ),
        ]

    def __str__(self) -> str:
        return str(self.name)


class Overdue(models.Model):
    """That a case was found overdue, and of which due date that was told."""

    case = models.OneToOneField(Case, primary_key=True, on_delete=models.CASCADE, related_name="overdue")
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    due_at = models.DateTimeField()
    found_at = models.DateTimeField()

    objects: ClassVar[models.Manager["Overdue"]] = ScopedManager(lab="lab")

    def __str__(self) -> str:
        return f"case {self.case_id}, due {self.due_at}"
