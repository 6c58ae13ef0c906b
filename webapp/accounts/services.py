"""Accounts: made, renamed, and what of them has expired."""

from datetime import timedelta
from importlib import import_module

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from webapp.accounts import trail
from webapp.accounts.models import User


@transaction.atomic
def create_account(email: str, *, name: str, password: str | None = None) -> User:
    """Make an account for somebody whose e-mail address its maker vouches for: no code is sent to it."""
    user = User.objects.create_user(email, password, name=name)
    EmailAddress.objects.create(user=user, email=user.email.lower(), verified=True, primary=True)
    return user


@transaction.atomic
def change_name(user: User, name: str) -> None:
    """Give a person, who wishes it, another name; what they did before stays on record under the old one."""
    if name != user.name:
        trail.name_changed(user, name)
        user.name = name
        user.save(update_fields=["name"])


def delete_expired_sessions() -> int:
    """Delete sessions whose time is over, and what allauth lists of sessions that are no more; returns how
    many of the latter."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    gone = ~Exists(Session.objects.filter(session_key=OuterRef("session_key")))
    begun = timezone.now() - timedelta(seconds=settings.SESSION_BEGUN_SECONDS)
    deleted, _ = UserSession.objects.filter(gone, created_at__lt=begun).delete()
    return int(deleted)
