"""How often somebody may try to sign in: by address, and by the e-mail tried, wherever from."""

from hashlib import sha256
from typing import Any

import structlog
from django.http import HttpRequest
from redis.exceptions import RedisError
from rest_framework.throttling import SimpleRateThrottle

log = structlog.get_logger(__name__)


class _SignIn(SimpleRateThrottle):
    def allow_request(self, request: Any, view: Any) -> bool:
        try:
            return super().allow_request(request, view)
        except RedisError as error:
            # Work goes on without the cache; the password is still asked for.
            log.warning("sign-in rates cannot be counted", error=repr(error))
            return True


class ByAddress(_SignIn):
    rate = "60/min"  # a hospital may share one address

    def get_cache_key(self, request: Any, view: Any) -> str:
        return f"sign-in-address-{self.get_ident(request)}"


class ByEmail(_SignIn):
    rate = "10/min"

    def get_cache_key(self, request: Any, view: Any) -> str | None:
        body = getattr(request, "data", None) or request.POST
        email = body.get("email") or body.get("username") if hasattr(body, "get") else None
        return f"sign-in-email-{sha256(str(email).lower().encode()).hexdigest()}" if email else None


SIGN_IN = (ByAddress, ByEmail)


def may_try(request: HttpRequest) -> bool:
    """Whether one more attempt to sign in is allowed now; counts it."""
    return all(throttle().allow_request(request, None) for throttle in SIGN_IN)
