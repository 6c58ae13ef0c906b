"""What people say of a case beside the classes of its cells: remarks, and answers to rules."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from webapp.crypto.fields import EncryptedTextField
from webapp.hematology.remarks import SUBJECTS
from webapp.labs.models import Lab
from webapp.rules.models import Rule


class Remark(models.Model):
    """What a person remarked at one moment in a reading. It stays: the last of a subject and term counts.

    The database lets nobody change or delete one, but seal its words anew.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    reading = models.ForeignKey("review.Reading", on_delete=models.PROTECT, related_name="remarks")
    number = models.PositiveIntegerField(help_text="Its place among the reading's, from 1.")
    subject = models.CharField(max_length=16, choices=[(code, name) for code, name in SUBJECTS.items()])
    term = models.CharField(max_length=32, help_text="Of `webapp.hematology.remarks`, or `words`.")
    grade = models.CharField(max_length=2, help_text="Empty: the term has none.")
    words = EncryptedTextField(default="", key="reading.case.patient.key")
    is_taken_back = models.BooleanField(default=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["Remark"]] = ScopedManager(lab="lab")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reading", "number"], name="remark_once_per_number"),
        ]
        indexes = [
            models.Index(fields=["reading", "subject", "term", "-number"], name="last_remark_of_a_term"),
        ]

    def __str__(self) -> str:
        return f"remark {self.number} of {self.reading_id}: {self.term}"


class RuleAnswer(models.Model):
    """What a person said to a rule that fired on a case. It stays; the last of a rule's version counts."""

    class Answer(models.TextChoices):
        SEEN = "seen", _("Seen")
        TAKEN = "taken", _("Remark taken")
        DECLINED = "declined", _("Remark not taken")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    reading = models.ForeignKey("review.Reading", on_delete=models.PROTECT, related_name="+")
    revision = models.PositiveIntegerField(help_text="Of the reading, when it was said.")
    rule = models.ForeignKey(Rule, on_delete=models.PROTECT, related_name="+")
    answer = models.CharField(max_length=8, choices=Answer.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["RuleAnswer"]] = ScopedManager(lab="lab")

    class Meta:
        indexes = [models.Index(fields=["reading", "rule", "-at"], name="last_answer_to_a_rule")]

    def __str__(self) -> str:
        return f"{self.answer} to {self.rule_id} in {self.reading_id}"
