"""The rate limit of each API token."""

from typing import Any

import structlog
from django.conf import settings
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from webapp.api.authentication import lab_request

log = structlog.get_logger(__name__)


class PerToken(SimpleRateThrottle):
    """One program that goes wild must not take the server from all others (`HEMATOVISION_API_RATE`)."""

    def get_rate(self) -> str:
        return str(settings.API_RATE)

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        membership = lab_request(request).membership
        return f"api-token-{membership.token.pk}" if membership and membership.token else None

    def allow_request(self, request: Request, view: Any) -> bool:
        try:
            return super().allow_request(request, view)
        except RedisError as error:
            log.warning("cache unavailable; API rate limit does not hold", error=repr(error))
            return True
