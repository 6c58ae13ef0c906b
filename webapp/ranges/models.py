from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from webapp.hematology.coverage import ANY, FEMALE, MALE, Span
from webapp.hematology.flags import Limits
from webapp.labs.models import Lab
from webapp.writing.fields import LineField

SOURCE_LENGTH = 300
LAST_DAY = 100_000
"""No age is later: 270 years and more."""
MOST_PER_100 = 100
"""No lab waits for more erythroblasts per 100 white cells before it corrects these."""


class Quantity(models.TextChoices):
    PERCENT = "percent", _("% of white cells")
    ABSOLUTE = "absolute", _("10⁹/L")
    PER_100 = "per_100", _("per 100 white cells")


class Sex(models.TextChoices):
    ANY = ANY, pgettext_lazy("sex that a range is for", "Any")
    FEMALE = FEMALE, pgettext_lazy("sex that a range is for", "Female")
    MALE = MALE, pgettext_lazy("sex that a range is for", "Male")


class ReferenceRange(models.Model):
    """What a lab holds to be normal for a class of cells, for people of a sex and some ages.

    It counts for nothing until somebody approves it, and from then on it never changes but that it ends:
    signed results refer to it. Triggers hold this, and that the approved rows which are valid together have
    no gap and no overlap (`migrations/0001_initial.py`).
    """

    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    cell_class = models.CharField(max_length=32, help_text="A code of serving.contract.classes.")
    quantity = models.CharField(max_length=8, choices=Quantity.choices)
    sex = models.CharField(max_length=6, choices=Sex.choices, default=Sex.ANY)
    age_from_days = models.PositiveIntegerField(default=0)
    age_to_days = models.PositiveIntegerField(null=True, help_text="The first day after it; empty: no end.")
    low = models.DecimalField(max_digits=7, decimal_places=3, null=True)
    high = models.DecimalField(max_digits=7, decimal_places=3, null=True)
    critical_low = models.DecimalField(max_digits=7, decimal_places=3, null=True)
    critical_high = models.DecimalField(max_digits=7, decimal_places=3, null=True)
    source = LineField(max_length=SOURCE_LENGTH, help_text="Where its numbers are from.")
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(default=timezone.now)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(null=True)
    valid_from = models.DateTimeField(null=True, help_text="Empty: it was not approved.")
    valid_to = models.DateTimeField(null=True, help_text="From when on it counts no more.")
    retired_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    objects: ClassVar[models.Manager["ReferenceRange"]] = ScopedManager(lab="lab")

    class Meta:
        indexes = [
            models.Index(
                fields=["lab"], condition=Q(approved_at__isnull=False, valid_to=None), name="range_valid_now"
            ),
            models.Index(fields=["lab", "cell_class", "quantity"], name="range_by_class"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(age_to_days=None) | Q(age_to_days__gt=F("age_from_days")), name="range_has_ages"
            ),
            models.CheckConstraint(
                condition=Q(low__isnull=False) | Q(high__isnull=False), name="range_has_a_limit"
            ),
            models.CheckConstraint(
                condition=(Q(low=None) | Q(high=None) | Q(low__lte=F("high")))
                & (Q(critical_low=None) | Q(low=None) | Q(critical_low__lte=F("low")))
                & (Q(critical_high=None) | Q(high=None) | Q(critical_high__gte=F("high")))
                & (Q(critical_low=None) | Q(high=None) | Q(critical_low__lte=F("high")))
                & (Q(critical_high=None) | Q(low=None) | Q(critical_high__gte=F("low"))),
                name="range_limits_in_order",
            ),
            models.CheckConstraint(
                condition=(Q(low=None) | Q(low__gte=0))
                & (Q(high=None) | Q(high__gte=0))
                & (Q(critical_low=None) | Q(critical_low__gte=0))
                & (Q(critical_high=None) | Q(critical_high__gte=0)),
                name="range_limits_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None, approved_at=None, valid_from=None, valid_to=None)
                | Q(approved_by__isnull=False, approved_at__isnull=False, valid_from__isnull=False),
                name="range_approved_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")),
                name="range_ends_after_it_began",
            ),
        ]

    def __str__(self) -> str:
        return f"range {self.pk} of {self.cell_class}, {self.quantity}"

    @property
    def span(self) -> Span:
        return Span(self.sex, self.age_from_days, self.age_to_days)

    @property
    def limits(self) -> Limits:
        return Limits(self.low, self.high, self.critical_low, self.critical_high)

    def is_valid(self, at: datetime) -> bool:
        return (
            self.valid_from is not None
            and self.valid_from <= at
            and (self.valid_to is None or at < self.valid_to)
        )
