"""What is known of a case's specimen and of its slides, all of it optional."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from webapp.cases.counted import LIMITS
from webapp.crypto.fields import EncryptedTextField
from webapp.labs.models import Lab
from webapp.writing.fields import LineField

FACTS = {
    "collected_at": _("Collected"),
    "received_at": _("Received"),
    "material": _("Material"),
    "anticoagulant": _("Anticoagulant"),
}
OF_REQUEST = {"requester": _("Requested by"), "clinical_question": _("Clinical question")}
TEXTS = {
    "requester": OF_REQUEST["requester"],
    "ordering_unit": _("Ordered by"),
    "clinical_question": OF_REQUEST["clinical_question"],
    "comment": _("Comment"),
}
"""What may say something of the patient: sealed as who they are, and shown to the same people."""
TEXT_LENGTHS = {"requester": 200, "ordering_unit": 100, "clinical_question": 1000, "comment": 1000}
COUNTS = {
    "wbc": _("WBC (10⁹/L)"),
    "wbc_is_corrected": _("WBC corrected for erythroblasts"),
    "haemoglobin": _("Haemoglobin (g/L)"),
    "platelets": _("Platelets (10⁹/L)"),
}
TIMES = ("collected_at", "received_at")


EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)


def a_specimens_time(value: datetime) -> None:
    """Raise ValidationError for a time at which no specimen was drawn: clocks differ by a day at most."""
    if not EARLIEST <= value <= timezone.now() + timedelta(days=1):
        raise ValidationError(_("A specimen's time is not in the future, nor before 1900."))


def wrong_order(collected_at: datetime | None, received_at: datetime | None) -> str | None:
    """Why the two cannot both be."""
    if collected_at and received_at and received_at < collected_at:
        return str(_("A specimen comes to the lab after it was collected."))
    return None


class Specimen(models.Model):
    """What a case is made from, and how it came to the lab."""

    class Material(models.TextChoices):
        BLOOD = "blood", _("Peripheral blood")
        MARROW = "marrow", _("Bone marrow")

    class Anticoagulant(models.TextChoices):
        EDTA = "edta", _("EDTA")
        CITRATE = "citrate", _("Citrate")
        HEPARIN = "heparin", _("Heparin")
        OTHER = "other", _("Other")
        NONE = "none", _("None")

    case = models.OneToOneField(
        "cases.Case", primary_key=True, on_delete=models.CASCADE, related_name="specimen"
    )
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    collected_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(null=True, blank=True, help_text="When it came to the lab.")
    material = models.CharField(max_length=16, choices=Material.choices, blank=True)
    anticoagulant = models.CharField(max_length=16, choices=Anticoagulant.choices, blank=True)
    ordering_unit = EncryptedTextField(default="", key="case.patient.key")
    comment = EncryptedTextField(default="", key="case.patient.key")

    objects: ClassVar[models.Manager["Specimen"]] = ScopedManager(lab="lab")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(received_at__gte=models.F("collected_at"))
                | models.Q(received_at=None)
                | models.Q(collected_at=None),
                name="collected_before_received",
            )
        ]

    def __str__(self) -> str:
        return f"specimen of case {self.case_id}"


class ServiceRequest(models.Model):
    """Who asked for the examination of a case's specimen, and what they want to know."""

    case = models.OneToOneField(
        "cases.Case", primary_key=True, on_delete=models.CASCADE, related_name="service_request"
    )
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    requester = EncryptedTextField(default="", key="case.patient.key")
    clinical_question = EncryptedTextField(default="", key="case.patient.key")

    objects: ClassVar[models.Manager["ServiceRequest"]] = ScopedManager(lab="lab")

    def __str__(self) -> str:
        return f"request of case {self.case_id}"


class AnalyserCount(models.Model):
    """What a haematology analyser counted in the specimen of a case, as a person entered it."""

    case = models.OneToOneField(
        "cases.Case", primary_key=True, on_delete=models.CASCADE, related_name="analyser_count"
    )
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    wbc = models.DecimalField(max_digits=7, decimal_places=3, null=True, help_text="White cells, 10^9/L.")
    wbc_is_corrected = models.BooleanField(
        null=True, help_text="Whether the analyser took erythroblasts off already; empty: nobody has said."
    )
    haemoglobin = models.DecimalField(max_digits=5, decimal_places=1, null=True, help_text="g/L.")
    platelets = models.DecimalField(max_digits=7, decimal_places=1, null=True, help_text="10^9/L.")
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[models.Manager["AnalyserCount"]] = ScopedManager(lab="lab")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(wbc=None) | models.Q(wbc__gt=0, wbc__lte=LIMITS["wbc"].most),
                name="analyser_wbc_can_be",
            ),
            models.CheckConstraint(
                condition=models.Q(haemoglobin=None)
                | models.Q(haemoglobin__gt=0, haemoglobin__lte=LIMITS["haemoglobin"].most),
                name="analyser_haemoglobin_can_be",
            ),
            models.CheckConstraint(
                condition=models.Q(platelets=None)
                | models.Q(platelets__gte=0, platelets__lte=LIMITS["platelets"].most),
                name="analyser_platelets_can_be",
            ),
            models.CheckConstraint(
                condition=models.Q(wbc_is_corrected=None) | models.Q(wbc__isnull=False),
                name="analyser_corrected_wbc_is_there",
            ),
        ]

    def __str__(self) -> str:
        return f"analyser's count of case {self.case_id}"


class Scanner(models.Model):
    """What a lab takes its pictures with, and how large a pixel of them is."""

    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    make = LineField(max_length=60)
    model = LineField(max_length=60, blank=True)
    micrometres_per_pixel = models.DecimalField(
        max_digits=7,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.001"))],
        help_text="At the magnification it scans with.",
    )

    objects: ClassVar[models.Manager["Scanner"]] = ScopedManager(lab="lab")

    class Meta:
        ordering: ClassVar[list[str]] = ["make", "model", "id"]
        constraints = [models.UniqueConstraint(fields=["lab", "make", "model"], name="scanner_once_per_lab")]

    def __str__(self) -> str:
        return f"{self.make} {self.model}".strip()


class Slide(models.Model):
    """One smear of a case's specimen."""

    class Stain(models.TextChoices):
        MAY_GRUENWALD_GIEMSA = "may_gruenwald_giemsa", _("May-Grünwald-Giemsa")
        WRIGHT_GIEMSA = "wright_giemsa", _("Wright-Giemsa")
        WRIGHT = "wright", _("Wright")
        GIEMSA = "giemsa", _("Giemsa")
        LEISHMAN = "leishman", _("Leishman")
        OTHER = "other", _("Other")

    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey("cases.Case", on_delete=models.CASCADE, related_name="slides")
    label = LineField(max_length=64, help_text="What stands on the glass; never a person's name.")
    stain = models.CharField(max_length=32, choices=Stain.choices, blank=True)
    scanner = models.ForeignKey(Scanner, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    objects: ClassVar[models.Manager["Slide"]] = ScopedManager(lab="lab")

    class Meta:
        ordering: ClassVar[list[str]] = ["label", "id"]
        constraints = [models.UniqueConstraint(fields=["case", "label"], name="slide_once_per_case")]

    def __str__(self) -> str:
        return str(self.label)
