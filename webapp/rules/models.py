import uuid
from functools import cached_property
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django_scopes import ScopedManager

from webapp.labs.models import Lab
from webapp.rules.conditions import Condition, Then, read_all
from webapp.rules.wording import sentence
from webapp.writing.fields import LineField

NAME_LENGTH, REMARK_LENGTH, SOURCE_LENGTH = 80, 200, 200


class Rule(models.Model):
    """One version of a rule of a lab. It counts for nothing until somebody who may accepted it; a change is a
    new version, which nobody has accepted. Versions that ended stay, for what was signed names them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    key = models.UUIDField(default=uuid.uuid4, help_text="The rule's, in all versions.")
    version = models.PositiveIntegerField(default=1)
    name = LineField(max_length=NAME_LENGTH)
    when = models.JSONField(help_text="Conditions, all of which must hold: `webapp.rules.conditions`.")
    then = models.CharField(max_length=16, choices=Then.choices)
    remark = LineField(max_length=REMARK_LENGTH, blank=True, help_text="That is proposed.")
    source = LineField(max_length=SOURCE_LENGTH, blank=True, help_text="Where its numbers are from.")
    shipped = models.CharField(max_length=40, blank=True, help_text="Which of those that we ship it was.")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    accepted_at = models.DateTimeField(null=True, help_text="Empty: it is off.")
    ended_at = models.DateTimeField(null=True, help_text="When the next version came, or it was removed.")

    objects: ClassVar[models.Manager["Rule"]] = ScopedManager(lab="lab")

    class Meta:
        ordering: ClassVar[list[str]] = ["name", "key", "version"]
        constraints = [
            models.UniqueConstraint(fields=["lab", "key", "version"], name="rule_once_per_version"),
            models.UniqueConstraint(
                fields=["lab", "key"], condition=Q(ended_at=None), name="one_current_version_of_a_rule"
            ),
            models.UniqueConstraint(
                fields=["lab", "shipped"],
                condition=Q(ended_at=None) & ~Q(shipped=""),
                name="shipped_rule_once_per_lab",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None, accepted_by=None)
                | Q(accepted_at__isnull=False, accepted_by__isnull=False),
                name="rule_accepted_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(then="remark") ^ Q(remark=""), name="rule_proposes_its_remark"
            ),
        ]

    def __str__(self) -> str:
        return str(self.name)

    @property
    def is_on(self) -> bool:
        return self.accepted_at is not None and self.ended_at is None

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        return read_all(self.when)

    @property
    def sentence(self) -> str:
        """What it does, in the reader's language."""
        return sentence(self.conditions, Then(self.then), self.remark)
