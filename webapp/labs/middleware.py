"""Opens the lab scope of a request: by API token, or by the session's chosen lab."""

from collections.abc import Callable

import structlog
from django.http import HttpResponseBase, JsonResponse
from django_scopes import scope

from webapp.audit.actions import Action
from webapp.audit.context import NOBODY, Actor, acting
from webapp.audit.folding import record_refusal
from webapp.labs import selectors
from webapp.labs.models import Membership
from webapp.labs.requests import LabRequest
from webapp.labs.services import prefix_of

ACTIVE_LAB = "active_lab"
BEARER = "Bearer "


class LabScopeMiddleware:
    """Sets `request.membership` and scopes every query of the request to its lab.

    A request without a membership stays unscoped, so a scoped query in it raises instead of leaking.
    """

    def __init__(self, get_response: Callable[[LabRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: LabRequest) -> HttpResponseBase:
        header = request.headers.get("Authorization", "")
        request.by_token = header.startswith(BEARER)
        secret = header.removeprefix(BEARER) if request.by_token else ""
        if request.by_token:
            membership = selectors.membership_for_token(secret)
            if membership is None:
                record_refusal(
                    Action.ACCESS_REFUSED, lab=None, subject="for an invalid API token", actor=NOBODY
                )
                message = "This API token is not valid. Sign in again to get a new one."
                return JsonResponse({"error": {"code": "invalid_token", "message": message}}, status=401)
        else:
            membership = self._membership_of_session(request)
        request.membership = membership
        if membership is None:
            return self.get_response(request)
        actor = Actor(membership.user_id, str(membership.user), prefix_of(secret))
        with (
            scope(lab=membership.lab),
            acting(actor),
            structlog.contextvars.bound_contextvars(lab=str(membership.lab_id)),
        ):
            return self.get_response(request)

    @staticmethod
    def _membership_of_session(request: LabRequest) -> Membership | None:
        if not request.user.is_authenticated:
            return None
        memberships = selectors.memberships_of(request.user)
        request.memberships = memberships
        wanted = request.session.get(ACTIVE_LAB)
        chosen = [membership for membership in memberships if str(membership.lab_id) == wanted]
        return next(iter(chosen or memberships), None)
