"""Who may see a page, and of what."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseBase
from django.shortcuts import resolve_url
from django.views.decorators.cache import cache_control
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from webapp.accounts.models import User
from webapp.labs.models import Membership
from webapp.labs.permissions import Permission
from webapp.labs.requests import LabRequest
from webapp.labs.services import record_refused

View = Callable[..., HttpResponseBase]


class PageRequest(LabRequest):
    """A request for a page or a part of one, as the middleware leaves it."""

    user: User
    htmx: HtmxDetails


class MemberRequest(PageRequest):
    """A request of someone who belongs to a lab."""

    membership: Membership


def needs(permission: Permission) -> Callable[[View], View]:
    """Keep a page for members of the lab whose role has `permission`; others sign in, or are told why not."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: PageRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return to_sign_in(request)
            if request.membership is None or not request.membership.may(permission):
                record_refused(request.membership, permission)
                raise PermissionDenied
            return view(request, *args, **kwargs)

        checked.needs = permission  # type: ignore[attr-defined]
        return checked

    return decorate


def to_sign_in(request: PageRequest) -> HttpResponseBase:
    """Send a stranger to sign in and then back; a part of a page must not be replaced by the sign-in page."""
    if request.htmx:
        back = request.htmx.current_url_abs_path or resolve_url("ui:home")
        return HttpResponseClientRedirect(redirect_to_login(back).url)
    return redirect_to_login(request.get_full_path())


never_stored = cache_control(no_store=True, private=True)
"""For pages that may name patients: nothing of them stays in a browser or a proxy."""
