from typing import cast

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from webapp.accounts.models import User
from webapp.labs.requests import LabRequest


def lab_request(request: Request) -> LabRequest:
    """Django's request inside that of REST framework."""
    return cast(LabRequest, request._request)


class ApiTokenAuthentication(BaseAuthentication):
    """Accepts the membership that `LabScopeMiddleware` found for the request's bearer token."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        asked = lab_request(request)
        if not asked.by_token or asked.membership is None:
            return None
        return asked.membership.user, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class ApiTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = ApiTokenAuthentication
    name = "apiToken"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        # untranslated: of the API's description
        return {"type": "http", "scheme": "bearer", "description": "An API token, `hv_…`."}
