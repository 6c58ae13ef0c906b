import json
import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from webapp.accounts.methods import Method
from webapp.cases.models import Case
from webapp.crypto.fields import EncryptedTextField
from webapp.hematology.delta import Expected
from webapp.labs.models import Lab
from webapp.labs.permissions import Role
from webapp.ranges.models import Quantity
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


class DeltaLimit(models.Model):
    """From which change on since the result before a lab wants a value marked.

    It counts for nothing until somebody approves it. What was approved changes no more but that it ends.
    """

    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    cell_class = models.CharField(max_length=32, help_text="A code of serving.contract.classes.")
    quantity = models.CharField(max_length=8, choices=Quantity.choices)
    change = models.DecimalField(max_digits=7, decimal_places=3, help_text="The least that is marked.")
    is_relative = models.BooleanField(help_text="In per cent of the value before; else in its own unit.")
    days = models.PositiveSmallIntegerField(help_text="How long before the result before may be.")
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(db_default=Now())
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(null=True)
    retired_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    retired_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["DeltaLimit"]] = ScopedManager(lab="lab")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lab", "cell_class", "quantity", "is_relative"],
                condition=Q(approved_at__isnull=False, retired_at=None),
                name="delta_limit_one_that_counts",
            ),
            models.CheckConstraint(condition=Q(change__gt=0, days__gt=0), name="delta_limit_is_some"),
            models.CheckConstraint(
                condition=Q(approved_by=None, approved_at=None)
                | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="delta_limit_approved_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(retired_by=None, retired_at=None)
                | Q(retired_by__isnull=False, retired_at__isnull=False),
                name="delta_limit_retired_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"limit {self.pk} of changes of {self.cell_class}, {self.quantity}"

    @property
    def expected(self) -> Expected:
        return Expected(self.change, self.is_relative, self.days)

    @property
    def counts(self) -> bool:
        return self.approved_at is not None and self.retired_at is None


class CriticalCall(models.Model):  # type: ignore[django-manager-missing] # made at run time
    """That somebody must be told of a version's critical values, until they were and read them back."""

    class Ending(models.TextChoices):
        DONE = "done", pgettext_lazy("of a call", "Done")
        AMENDED = "amended", pgettext_lazy("of a call", "Superseded")
        VOID = "void", pgettext_lazy("of a call", "Void")
        ERASED = "erased", pgettext_lazy("of a call", "Patient erased")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    result = models.OneToOneField(Result, on_delete=models.PROTECT, related_name="call")
    since = models.DateTimeField(help_text="When the result was signed.")
    due_at = models.DateTimeField(null=True, help_text="By the lab's limit then; empty: it had none.")
    told_at = models.DateTimeField(null=True, help_text="When people were told that it is overdue.")
    ended_at = models.DateTimeField(null=True)
    ending = models.CharField(max_length=8, choices=Ending.choices, blank=True, db_default="")

    objects: ClassVar[models.Manager["CriticalCall"]] = ScopedManager(lab="lab")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at=None, ending="") | (Q(ended_at__isnull=False) & ~Q(ending="")),
                name="call_ended_somehow",
            )
        ]
        indexes = [
            models.Index(fields=["lab", "since", "id"], condition=Q(ended_at=None), name="call_open"),
            models.Index(fields=["lab", "-since", "-id"], name="call_by_time"),
            models.Index(fields=["due_at"], condition=Q(ended_at=None, told_at=None), name="call_to_be_told"),
            models.Index(fields=["case"], name="call_of_case"),
        ]

    def __str__(self) -> str:
        return f"call of result {self.result_id}"

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    @property
    def is_overdue(self) -> bool:
        return self.is_open and self.due_at is not None and self.due_at < timezone.now()


class CallEntry(models.Model):
    """That somebody called, and what came of it. The database lets nobody change or delete one."""

    class Outcome(models.TextChoices):
        READ_BACK = "read_back", _("Told, and read back")
        TOLD = "told", _("Told, not read back")
        NOT_REACHED = "not_reached", _("Not reached")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    call = models.ForeignKey(CriticalCall, on_delete=models.PROTECT, related_name="entries")
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    at = models.DateTimeField(help_text="When it was, by who called.")
    whom = EncryptedTextField(key="call.result.case.patient.key")
    contact = EncryptedTextField(default="", key="call.result.case.patient.key", help_text="Role, phone.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["CallEntry"]] = ScopedManager(lab="lab")

    class Meta:
        ordering: ClassVar[list[str]] = ["recorded_at", "id"]

    def __str__(self) -> str:
        return f"{self.outcome}, call {self.call_id}"
