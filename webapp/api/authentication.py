from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from webapp.accounts.models import User


class ApiTokenAuthentication(BaseAuthentication):
    """Accepts the membership that `LabScopeMiddleware` found for the request's bearer token."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        if not getattr(request._request, "by_token", False):
            return None
        return request._request.membership.user, None  # type: ignore[attr-defined]

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class ApiTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = ApiTokenAuthentication
    name = "apiToken"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API token, `hv_…`."}
