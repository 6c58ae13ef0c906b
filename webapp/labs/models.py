import uuid

from django.conf import settings
from django.db import models

from webapp.labs.permissions import Permission, Role, allows


class Lab(models.Model):
    """A tenant. Every record of patients' cells belongs to one lab and is seen from no other."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """One person's role in one lab."""

    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=32, choices=Role.choices)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lab", "user"], name="one_membership_per_lab")]

    def __str__(self) -> str:
        return f"{self.user} as {self.get_role_display()} of {self.lab}"

    def may(self, permission: Permission) -> bool:
        return self.active and allows(Role(self.role), permission)


class ApiToken(models.Model):
    """A key for programs, acting as one membership. Only a SHA-256 of the 256-bit random secret is kept."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=11, help_text="The first characters, to tell tokens apart.")
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.name})"
