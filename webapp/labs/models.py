import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Value
from django_scopes import ScopedManager

from webapp.labs.permissions import Permission, Role, allows


class Lab(models.Model):
    """A tenant. Every record of patients' cells belongs to one lab and is seen from no other."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    permission_changes = models.JSONField(
        default=dict,
        db_default=Value({}, models.JSONField()),
        help_text="Where the lab departs from the table of permissions: role → permission → yes or no.",
    )
    second_factor_roles = ArrayField(
        models.CharField(max_length=32, choices=Role.choices),
        default=list,
        db_default=Value([], ArrayField(models.CharField(max_length=32))),
        help_text="Roles that may be taken up only with a second factor of sign-in.",
    )

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):  # type: ignore[django-manager-missing] # ScopedManager makes classes at run time
    """One person's role in one lab."""

    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=32, choices=Role.choices)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["Membership"]] = ScopedManager(lab="lab")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lab", "user"], name="one_membership_per_lab")]

    def __str__(self) -> str:
        return f"{self.user} as {self.get_role_display()} of {self.lab}"

    def may(self, permission: Permission) -> bool:
        """Whether this member may do it: the one question to ask, of people and of programs alike."""
        return self.active and allows(Role(self.role), permission, self.lab.permission_changes)


class ApiToken(models.Model):
    """A key for programs, acting as one membership. Only a SHA-256 of the 256-bit random secret is kept."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=11, help_text="The first characters, to tell tokens apart.")
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["ApiToken"]] = ScopedManager(lab="membership__lab")

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.name})"
