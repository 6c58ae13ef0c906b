"""Reauthentication: who changes permissions or keys must have signed in freshly (OWASP ASVS 5.0, 7.5)."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

View = Callable[..., HttpResponseBase]


def is_fresh(request: HttpRequest) -> bool:
    """Whether this person has proved who they are in this session within the last ten minutes."""
    records = get_authentication_records(request, request.user)
    return bool(records) and time.time() - records[-1]["at"] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def fresh_sign_in(view: View) -> View:
    """Open a page only to a person who signed in freshly; others sign in again, and are then sent on.

    What a form has posted is kept meanwhile, and done once the person has answered. Not for parts of pages
    (htmx), where the question would take the place of the part.
    """

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs) if is_fresh(request) else redirect_to_reauthentication(request)

    return checked


def redirect_to_reauthentication(request: HttpRequest) -> HttpResponseBase:
    """Ask for password or second factor, and then go on with this request.

    A person who has neither, because another service signs them in, is sent there anew.
    """
    if request.user.is_authenticated and not get_adapter().get_reauthentication_methods(request.user):
        logout(request)
        messages.info(request, _("Sign in once more to go on: this page asks for a recent sign-in."))
        return redirect_to_login(request.get_full_path())
    raise ReauthenticationRequired
