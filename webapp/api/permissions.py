from typing import Any, cast

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from webapp.api.authentication import lab_request
from webapp.labs.models import Membership
from webapp.labs.services import record_refused


def membership_of(request: Request) -> Membership:
    """The membership that acts: `LabPermission` lets nobody in without one."""
    return cast(Membership, lab_request(request).membership)


class LabPermission(BasePermission):
    """Asks the role table: a view names what it needs in `needs`, by HTTP method.

    What is not named is refused.
    """

    message = "Your role in this lab does not allow this. Ask an administrator of the lab."

    def has_permission(self, request: Request, view: Any) -> bool:
        membership = lab_request(request).membership
        if membership is None:
            return False
        if request.method == "OPTIONS":
            return True
        needed = view.needs.get("GET" if request.method == "HEAD" else request.method)
        if needed is None:
            return False
        if not membership.may(needed):
            record_refused(membership, needed)
            return False
        return True
