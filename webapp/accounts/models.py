from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models, transaction
from django.db.models.functions import Lower
from django.dispatch import Signal

from webapp.writing.fields import LineField

password_replaced = Signal()
"""A known person (`user`) has another password. Sent in the transaction that writes it, whoever sets it."""


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person. What they may do is decided by their membership of a lab, never here."""

    email = models.EmailField(unique=True)
    name = LineField(max_length=150)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_whatever_case")]

    def __str__(self) -> str:
        return self.name or self.email

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        # A new password stands there until it is saved; not so where the old one is hashed anew.
        replaced = getattr(self, "_password", None) is not None and not self._state.adding
        super().save(*args, **kwargs)
        if replaced:
            password_replaced.send(User, user=self)


class SigningPin(models.Model):
    """By which somebody without password or second factor says who they are; hashed as passwords are."""

    user = models.OneToOneField(User, primary_key=True, on_delete=models.CASCADE, related_name="signing_pin")
    hashed = models.CharField(max_length=128)
    set_at = models.DateTimeField()
    wrong = models.PositiveSmallIntegerField(
        default=0, help_text="How often it was wrong since it was right."
    )

    def __str__(self) -> str:
        return f"signing PIN of user {self.user_id}"
