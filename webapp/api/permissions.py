from typing import Any, cast

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import status
from rest_framework.exceptions import APIException, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from webapp.api.authentication import lab_request
from webapp.labs.authorization import may
from webapp.labs.conflicts import HEADER, conflict
from webapp.labs.models import Membership
from webapp.labs.permissions import Permission

Needs = dict[str, Permission]


def membership_of(request: Request) -> Membership:
    """The membership that acts: `LabPermission` lets nobody in without one."""
    return cast(Membership, lab_request(request).membership)


class LabPermission(BasePermission):
    """Asks the role table: a view names what it needs in `needs`, by HTTP method.

    What is not named is denied.
    """

    message = gettext_lazy("Your role in this lab does not allow this. Ask an administrator of the lab.")

    def has_permission(self, request: Request, view: Any) -> bool:
        asked = lab_request(request)
        if against := conflict(asked, request.headers.get(HEADER)):
            raise OfAnotherLab(against.message, against.code)
        if asked.without_factor is not None:
            text = _("%(lab)s asks your role for a second factor of sign-in.")
            raise SecondFactorNeeded(text % {"lab": asked.without_factor.lab})
        if asked.membership is None:
            return False
        if request.method == "OPTIONS":
            return True
        needed: Permission | None = view.needs.get("GET" if request.method == "HEAD" else request.method)
        return needed is not None and may(asked.membership, needed)


class OfAnotherLab(APIException):
    status_code = status.HTTP_409_CONFLICT


class SecondFactorNeeded(PermissionDenied):
    default_code = "second_factor_needed"
