"""Opens the lab scope of a request: by API token, or by the session's chosen lab."""

from collections.abc import Callable
from contextlib import nullcontext

import structlog
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponseBase, JsonResponse
from django_scopes import scope

from webapp.accounts.selectors import has_second_factor
from webapp.audit.actions import Action
from webapp.audit.context import NOBODY, Actor, acting, current_origin
from webapp.audit.folding import record_denial
from webapp.audit.words import INVALID_TOKEN
from webapp.labs import selectors, tokens
from webapp.labs.locales import locale_of
from webapp.labs.models import ApiToken, Membership
from webapp.labs.requests import LabRequest
from webapp.telemetry import tracing

ACTIVE_LAB = "active_lab"
BEARER = "Bearer "


class LabScopeMiddleware:
    """Sets `request.membership`, scopes every query of the request to its lab, and answers in its
    language and its time zone.

    A request without a membership stays unscoped, so a scoped query in it raises instead of leaking. So does
    one of a person who lacks the second factor that the lab asks for: the membership is `without_factor`.
    And so does one of a person who was removed from the lab they worked in, until they choose another.
    """

    def __init__(self, get_response: Callable[[LabRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: LabRequest) -> HttpResponseBase:
        header = request.headers.get("Authorization", "")
        request.by_token = header.startswith(BEARER)
        request.memberships, request.without_factor, request.lost_lab = [], None, None
        membership: Membership | None
        if request.by_token:
            request.user = AnonymousUser()  # a token must not borrow the sign-in of whoever sends it
            try:
                membership = tokens.use(header.removeprefix(BEARER), current_origin().address)
            except tokens.InvalidToken as error:
                record_denial(Action.ACCESS_DENIED, lab=None, subject=INVALID_TOKEN, actor=NOBODY)
                body = {"error": {"code": error.code, "message": str(error)}}
                return JsonResponse(body, status=401)
        else:
            membership = self._membership_of_session(request)
        request.membership = membership
        worked_in = membership or request.without_factor
        request.lab_worked_in = worked_in.lab if worked_in else None
        if membership is None:
            return self.get_response(request)
        with (
            scope(lab=membership.lab),
            locale_of(membership.lab),
            acting(_program(membership, membership.token)) if membership.token else nullcontext(),
            structlog.contextvars.bound_contextvars(lab=str(membership.lab_id)),
        ):
            tracing.describe({"hematovision.lab": str(membership.lab_id)})
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", membership.lab.spoken)
            return response

    @staticmethod
    def _membership_of_session(request: LabRequest) -> Membership | None:
        if not request.user.is_authenticated:
            return None
        request.memberships = selectors.memberships_of(request.user)
        if not request.memberships:
            return None
        if ACTIVE_LAB not in request.session:
            # From now on: whoever is put out of it is told so, and never moved to the next.
            request.session[ACTIVE_LAB] = str(request.memberships[0].lab_id)
        wanted: str = request.session[ACTIVE_LAB]
        chosen = [membership for membership in request.memberships if str(membership.lab_id) == wanted]
        membership = next(iter(chosen), None)
        if membership is None:
            request.lost_lab = selectors.lab_called(wanted)
        if membership and membership.needs_second_factor and not has_second_factor(request.user):
            request.without_factor = membership
            return None
        return membership


def _program(membership: Membership, token: ApiToken) -> Actor:
    return Actor(membership.user_id, str(membership.user), token=token.prefix)
