import json
import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from webapp.accounts.methods import Method
from webapp.cases.models import Case
from webapp.crypto.fields import EncryptedTextField
from webapp.labs.models import Lab
from webapp.labs.permissions import Role
from webapp.review.models import Reading


class Result(models.Model):  # type: ignore[django-manager-missing] # ScopedManager makes classes at run time
    """One version of what was signed of a case. Nothing that it shows is read from elsewhere.

    The database lets nobody delete one or change what was signed; `status` follows from signatures and steps.
    """

    class Status(models.TextChoices):
        AWAITING = "awaiting", _("Awaiting authorisation")
        FINAL = "final", pgettext_lazy("status of a result", "Final")
        AMENDING = "amending", _("Being amended")
        AMENDED = "amended", _("Superseded")
        VOID = "void", _("Void")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="results")
    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="results")
    revision = models.PositiveIntegerField(help_text="The reading's, as it was signed.")
    version = models.PositiveIntegerField(help_text="Its place among the case's, from 1.")
    document = EncryptedTextField(
        key="case.patient.key", help_text="Canonical JSON (RFC 8785): webapp.results.document."
    )
    sha256 = models.BinaryField(max_length=32, help_text="Of the document.")
    needed = models.PositiveSmallIntegerField(default=1, help_text="How many signatures it needs.")
    made_at = models.DateTimeField(db_default=Now())
    amends = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=16, choices=Status.choices)

    objects: ClassVar[models.Manager["Result"]] = ScopedManager(lab="lab")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "version"], name="result_once_per_version")]
        indexes = [models.Index(fields=["lab", "status", "made_at"], name="result_by_status")]

    def __str__(self) -> str:
        return f"version {self.version} of the result of case {self.case_id}"

    @property
    def values(self) -> dict[str, Any]:
        """What the document says.

        Raises:
            Unreadable: it was altered, or the patient was erased.
        """
        values: dict[str, Any] = json.loads(self.document)
        return values

    @property
    def digest(self) -> str:
        """The document's SHA-256, for people to compare."""
        return bytes(self.sha256).hex()


class Signature(models.Model):
    """That a person stood for a version of a result. The database lets nobody change or delete one."""

    class Meaning(models.TextChoices):
        REVIEWED = "reviewed", pgettext_lazy("meaning of a signature", "Reviewed")
        AUTHORISED = "authorised", pgettext_lazy("meaning of a signature", "Authorised")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    result = models.ForeignKey(Result, on_delete=models.PROTECT, related_name="signatures")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    printed_name = models.CharField(max_length=254, help_text="As it was then.")
    role = models.CharField(max_length=32, choices=Role.choices, help_text="As it was then.")
    meaning = models.CharField(max_length=16, choices=Meaning.choices)
    at = models.DateTimeField()
    zone = models.CharField(max_length=64, help_text="The lab's time zone then, by its IANA name.")
    method = models.CharField(max_length=16, choices=Method.choices)
    sha256 = models.BinaryField(max_length=32, help_text="Of the document that was shown and signed.")

    objects: ClassVar[models.Manager["Signature"]] = ScopedManager(lab="lab")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["result", "meaning"], name="signature_once_per_meaning"),
            models.UniqueConstraint(fields=["result", "by"], name="signature_once_per_person"),
        ]

    def __str__(self) -> str:
        return f"{self.meaning} by {self.printed_name}"

    @property
    def is_elsewhere(self) -> bool:
        """Whether the lab's time is another than UTC, so that both are shown."""
        return self.zone != "UTC"


class Step(models.Model):
    """What was done about a signed version afterwards. The database lets nobody change or delete one."""

    class Kind(models.TextChoices):
        AMEND = "amend", _("Amendment begun")
        WITHDRAW = "withdraw", _("Amendment withdrawn")
        VOID = "void", _("Made void")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    result = models.ForeignKey(Result, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reason = EncryptedTextField(default="", key="result.case.patient.key")

    objects: ClassVar[models.Manager["Step"]] = ScopedManager(lab="lab")

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.kind} of {self.result_id}"


class Ready(models.Model):
    """That nothing is missing to sign a case, so that it is told once."""

    case = models.OneToOneField(Case, primary_key=True, on_delete=models.CASCADE, related_name="+")
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["Ready"]] = ScopedManager(lab="lab")

    def __str__(self) -> str:
        return f"case {self.case_id} is ready"
