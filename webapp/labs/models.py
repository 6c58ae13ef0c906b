import uuid
from ipaddress import ip_address, ip_network
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Value
from django.db.models.functions import Lower
from django.dispatch import Signal
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import get_supported_language_variant
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from serving.contract import CellClass
from webapp.hematology.absolute import NRBC_CORRECTION_FROM
from webapp.hematology.classes import used
from webapp.hematology.differential import FULL_COUNTS
from webapp.labs.permissions import Permission, Role, allows
from webapp.writing.fields import LineField

members_changed = Signal()
"""Somebody of `lab`, an id, left it, was deactivated, or may do something else than before. Sent in the
transaction of the deed."""

TURNAROUND = (  # untranslated: for programmers
    "Hours from a specimen's receipt until its result is due, for cases of this priority; empty: no time."
)
LONGEST_TURNAROUND = 24 * 365


def zone(name: str) -> ZoneInfo | None:
    """By its name in the IANA database; None: there is no name, or it is not known here."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


class Signatures(models.TextChoices):
    """How many people stand for a result."""

    ONE = "one", _("One: who reviewed it authorises it")
    TWO = "two", _("Two: one person reviews, another authorises")


class ReportReaders(models.TextChoices):
    """Whose signed reports a clinician reads."""

    LAB = "lab", _("All of the lab")
    OWN = "own", _("Those that they requested")


LONGEST_CRITICAL_CALL = 7 * 24 * 60  # minutes
PICTURES_PER_CLASS = 4
MOST_PICTURES_PER_CLASS = 12


class Lab(models.Model):
    """A tenant. Every record of patients' cells belongs to one lab and is seen from no other."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = LineField(max_length=200, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    time_zone = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="By its name in the IANA database; empty: nobody has said, and times are shown in UTC.",
    )
    language = models.CharField(
        max_length=16,
        default="en",
        db_default="en",
        help_text="In which its people read pages and messages: a code of settings.LANGUAGES.",
    )
    full_count = models.PositiveSmallIntegerField(
        default=FULL_COUNTS[0],
        db_default=FULL_COUNTS[0],
        choices=[(count, format_lazy(_("{count} white cells"), count=count)) for count in FULL_COUNTS],
        help_text="White cells from which on a differential count is whole.",
    )
    nrbc_correction_from = models.PositiveSmallIntegerField(
        default=NRBC_CORRECTION_FROM,
        db_default=NRBC_CORRECTION_FROM,
        help_text="Erythroblasts per 100 white cells from which on they are taken off an analyser's count.",
    )
    classes = models.JSONField(
        default=list,
        db_default=Value([], models.JSONField()),
        help_text="Codes of the classes that its people use, in their order; none: all, in the report's.",
    )
    turnaround_stat = models.PositiveSmallIntegerField(null=True, help_text=TURNAROUND)
    turnaround_urgent = models.PositiveSmallIntegerField(null=True, help_text=TURNAROUND)
    turnaround_routine = models.PositiveSmallIntegerField(null=True, help_text=TURNAROUND)
    permission_changes = models.JSONField(
        default=dict,
        db_default=Value({}, models.JSONField()),
        help_text="Where the lab departs from the table of permissions: role → permission → yes or no.",
    )
    signatures = models.CharField(
        max_length=8,
        choices=Signatures.choices,
        default=Signatures.ONE,
        db_default=Signatures.ONE,
        help_text="That a result needs.",
    )
    critical_call_minutes = models.PositiveSmallIntegerField(
        null=True, help_text="From a signature on, in which a critical result is to be told; empty: no limit."
    )
    address = models.TextField(blank=True, default="", db_default="", help_text="As reports print it.")
    logo = models.BinaryField(
        null=True, max_length=32, help_text="SHA-256 of the PNG that reports print; empty: none."
    )
    report_language = models.CharField(
        max_length=16,
        blank=True,
        default="",
        db_default="",
        help_text="A code of settings.LANGUAGES; empty: the lab's own.",
    )
    report_pictures = models.PositiveSmallIntegerField(
        default=PICTURES_PER_CLASS,
        db_default=PICTURES_PER_CLASS,
        help_text="Cells of each class that a report shows where nobody chose any.",
    )
    report_readers = models.CharField(
        max_length=8,
        choices=ReportReaders.choices,
        default=ReportReaders.LAB,
        db_default=ReportReaders.LAB,
        help_text="Whose signed reports its clinicians read.",
    )
    second_factor_roles = ArrayField(
        models.CharField(max_length=32, choices=Role.choices),
        default=list,
        db_default=Value([], ArrayField(models.CharField(max_length=32))),
        help_text="Roles that may be taken up only with a second factor of sign-in.",
    )

    def __str__(self) -> str:
        return str(self.name)

    @property
    def cell_classes(self) -> tuple[CellClass, ...]:
        """What its people may say of a cell, in the order of its reports."""
        return used(self.classes)

    @property
    def zone(self) -> ZoneInfo | None:
        """In which its people read times; None: nobody has said, or the name is not known here."""
        return zone(self.time_zone)

    @property
    def spoken(self) -> str:
        """The code of its language, or of the nearest that this release has."""
        try:
            return str(get_supported_language_variant(self.language))
        except LookupError:
            return settings.LANGUAGE_CODE


class Membership(models.Model):  # type: ignore[django-manager-missing] # ScopedManager makes classes at run time
    """One person's role in one lab."""

    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=32, choices=Role.choices)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    token: "ApiToken | None" = None
    """The token that a program acts by in this request; None where a person does."""

    objects: ClassVar[models.Manager["Membership"]] = ScopedManager(lab="lab")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lab", "user"], name="one_membership_per_lab")]

    def __str__(self) -> str:
        return f"{self.user} as {self.get_role_display()} of {self.lab}"

    @property
    def needs_second_factor(self) -> bool:
        """Whether the lab lets this role be taken up only with a second factor of sign-in."""
        return self.role in self.lab.second_factor_roles

    def may(self, permission: Permission) -> bool:
        """Whether this member may do it: the one question to ask, of people and of programs alike."""
        return (
            self.active
            and allows(Role(self.role), permission, self.lab.permission_changes)
            and (self.token is None or self.token.covers(permission))
        )


class Invitation(models.Model):
    """An open invitation to join a lab. Accepted or revoked, it is gone; the audit trail remembers it.

    Only a SHA-256 of the 256-bit random secret in the mailed link is kept.
    """

    lab = models.ForeignKey(Lab, on_delete=models.CASCADE, related_name="+")
    email = models.EmailField(help_text="Whose account alone may accept it.")
    role = models.CharField(max_length=32, choices=Role.choices)
    digest = models.BinaryField(max_length=32, unique=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()

    objects: ClassVar[models.Manager["Invitation"]] = ScopedManager(lab="lab")

    class Meta:
        constraints = [models.UniqueConstraint("lab", Lower("email"), name="one_invitation_per_person")]

    def __str__(self) -> str:
        return f"{self.email} to be {self.get_role_display()} of {self.lab}"

    @property
    def expired(self) -> bool:
        return self.expires_at <= timezone.now()


class ApiToken(models.Model):
    """A key for programs, acting as one membership. Only a SHA-256 of the 256-bit random secret is kept.

    Revoked, it is gone; the audit trail remembers it.
    """

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="api_tokens")
    name = LineField(max_length=100)
    prefix = models.CharField(max_length=11, help_text="The first characters, to tell tokens apart.")
    digest = models.BinaryField(max_length=32, unique=True)
    scopes = ArrayField(
        models.CharField(max_length=32, choices=Permission.choices),
        null=True,
        help_text="What it may do at most; empty: whatever its owner may.",
    )
    networks = ArrayField(
        models.CharField(max_length=43),
        default=list,
        db_default=Value([], ArrayField(models.CharField(max_length=43))),
        help_text="Where it may be used from, in CIDR notation; none: anywhere.",
    )
    second_factor = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Its owner had a second factor when it was made.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, help_text="Tokens made before there were limits have none.")
    last_used_at = models.DateTimeField(null=True, help_text="To the minute.")

    objects: ClassVar[models.Manager["ApiToken"]] = ScopedManager(lab="membership__lab")

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.name})"

    @property
    def expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    def covers(self, permission: Permission) -> bool:
        """Whether its scopes include `permission`; what its owner may is another question."""
        return self.scopes is None or permission in self.scopes

    def is_allowed_from(self, address: str) -> bool:
        """Whether it may be used from this IP address; an unknown one is in no network."""
        if not self.networks:
            return True
        try:
            found = ip_address(address)
        except ValueError:
            return False
        # A socket that takes both families shows IPv4 clients as ::ffff:192.0.2.1.
        found = getattr(found, "ipv4_mapped", None) or found
        return any(found in ip_network(network) for network in self.networks)
