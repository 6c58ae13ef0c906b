"""A new second factor ends all other sessions, which were begun without it: listens to allauth."""

from typing import Any

from allauth.mfa import signals
from allauth.usersessions.adapter import get_adapter
from django.dispatch import receiver
from django.http import HttpRequest

from webapp.accounts.models import User
from webapp.accounts.selectors import sessions_elsewhere


@receiver(signals.authenticator_added)
def _factor_added(request: HttpRequest, user: User, **_: Any) -> None:
    get_adapter().end_sessions(sessions_elsewhere(user, request.session.session_key))
