"""An id and a stopwatch for each request."""

import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponseBase

from webapp.telemetry import metrics

HEADER = "X-Request-ID"
_USABLE = re.compile(r"[A-Za-z0-9._:-]{8,64}")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class RequestMiddleware:
    """Binds `request` to all log lines of a request, tells it in `X-Request-ID`, and times the answer.

    The id that a client or a proxy sent is kept where it is one: 8 to 64 letters, digits and `._:-`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        sent = request.headers.get(HEADER, "")
        request_id = sent if _USABLE.fullmatch(sent) else uuid.uuid4().hex
        begun = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request=request_id):
            response = self.get_response(request)
        response.headers[HEADER] = request_id
        metrics.http_request_seconds.labels(
            # By name: there is a page for each case, and what nobody serves has as many names as one likes.
            route=request.resolver_match.view_name if request.resolver_match else "",
            method=request.method if request.method in _METHODS else "other",
            status=f"{response.status_code // 100}xx",
        ).observe(time.perf_counter() - begun)
        return response
