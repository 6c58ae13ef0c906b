"""Which permission a page needs, and what happens to those who lack it."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from webapp.accounts.models import User
from webapp.accounts.selectors import has_second_factor
from webapp.cases.closing import ReviewOver
from webapp.cases.disclosure import NotInLab
from webapp.labs.authorization import may
from webapp.labs.conflicts import FIELD, HEADER, Conflict, conflict
from webapp.labs.models import Lab, Membership
from webapp.labs.permissions import Permission
from webapp.labs.requests import LabRequest

View = Callable[..., HttpResponseBase]


class PageRequest(LabRequest):
    """A request for a page or a part of one, as the middleware leaves it."""

    user: User
    htmx: HtmxDetails


class MemberRequest(PageRequest):
    """A request of someone who belongs to a lab."""

    membership: Membership


def needs(permission: Permission | None) -> Callable[[View], View]:
    """Keep a page for members of the lab whose role has `permission`; None: for all members.

    Others are redirected to sign in or to set up a second factor, or are denied. Another lab's things are
    not found.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: PageRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_sign_in(request)
            if against := _conflict(request):
                return conflict_page(request, against)
            if request.without_factor is not None:
                return redirect_to_second_factor(request, request.without_factor.lab)
            if request.membership is None or not (permission is None or may(request.membership, permission)):
                raise PermissionDenied
            try:
                return view(request, *args, **kwargs)
            except NotInLab:
                raise Http404 from None
            except ReviewOver as error:
                context = {"message": str(error), "case_id": kwargs.get("case_id")}
                return render(request, "ui/cases/closed.html", context, status=HTTPStatus.CONFLICT)

        checked.needs = permission  # type: ignore[attr-defined]
        return checked

    return decorate


def for_operators(view: View) -> View:
    """Keep a page for those who run the installation, with a second factor."""

    @wraps(view)
    def checked(request: PageRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return redirect_unless_operator(request, request.get_full_path()) or view(request, *args, **kwargs)

    return checked


def redirect_unless_operator(request: HttpRequest, back: str) -> HttpResponseBase | None:
    """Where somebody goes who is no operator: to sign in and then `back`, or to set up a second factor.

    Raises:
        PermissionDenied: they do not run the installation.
    """
    if not isinstance(request.user, User):
        return redirect_to_login(back)
    if not request.user.is_staff:
        raise PermissionDenied
    if not has_second_factor(request.user):
        messages.warning(request, _("Set up a second factor first: the pages for operators ask for one."))
        return redirect("mfa_index")
    return None


def conflict_page(request: PageRequest, against: Conflict) -> HttpResponseBase:
    """Say that the page is of another lab than the one worked in, and offer to go there."""
    template = "ui/labs/other_lab/content.html" if request.htmx else "ui/labs/other_lab/page.html"
    return render(request, template, {"conflict": against}, status=HTTPStatus.CONFLICT)


def _conflict(request: PageRequest) -> Conflict | None:
    posted = request.POST.get(FIELD) if request.method == "POST" else None
    return conflict(request, request.headers.get(HEADER), posted)


def redirect_to_second_factor(request: PageRequest, lab: Lab) -> HttpResponseBase:
    """Send a person whose role in `lab` asks for a second factor of sign-in to where one is set up."""
    message = _("%(lab)s asks your role for a second factor of sign-in. Set one up to go on.") % {"lab": lab}
    messages.info(request, message)
    page = resolve_url("mfa_index")
    return HttpResponseClientRedirect(page) if request.htmx else redirect(page)


def redirect_to_sign_in(request: PageRequest) -> HttpResponseBase:
    """Send a stranger to sign in and then back; a part of a page must not be replaced by the sign-in page."""
    if request.htmx:
        try:
            back = request.htmx.current_url_abs_path or resolve_url("ui:home")
        except ValueError:  # the header is no address
            back = resolve_url("ui:home")
        return HttpResponseClientRedirect(redirect_to_login(back).url)
    return redirect_to_login(request.get_full_path())
