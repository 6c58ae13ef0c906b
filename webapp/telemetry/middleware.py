"""An id, a duration and a trace for each request."""

import re
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from webapp.telemetry import metrics, tracing

HEADER = "X-Request-ID"
PROBES = ("/healthz", "/readyz")
_USABLE = re.compile(r"[A-Za-z0-9._:-]{8,64}")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class RequestMiddleware:
    """Binds `request` to all log lines of a request, returns it in `X-Request-ID`, and times the response.

    The id that a client or a proxy sent is kept where it is one: 8 to 64 letters, digits and `._:-`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        sent = request.headers.get(HEADER, "")
        request_id = sent if _USABLE.fullmatch(sent) else uuid.uuid4().hex
        begun = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request=request_id), _traced(request):
            response = self.get_response(request)
            _observe(request, response)
        response.headers[HEADER] = request_id
        metrics.http_request_seconds.labels(
            # By name: there is a page for each case, and what nobody serves has as many names as one likes.
            route=request.resolver_match.view_name if request.resolver_match else "",
            method=_method(request, "other"),
            status=f"{response.status_code // 100}xx",
        ).observe(time.perf_counter() - begun)
        return response


def _traced(request: HttpRequest) -> AbstractContextManager[None]:
    """A trace, but for what browsers and machines ask for again and again and nobody looks for."""
    if request.path in PROBES or request.path.startswith(settings.STATIC_URL):
        return nullcontext()
    return tracing.begin(
        _method(request, "HTTP"),
        {"http.request.method": _method(request, "_OTHER"), "url.scheme": request.scheme or ""},
        caller=request.headers.get(tracing.TRACEPARENT, ""),
    )


def _observe(request: HttpRequest, response: HttpResponseBase) -> None:
    answered = {"http.response.status_code": response.status_code}
    failure = str(response.status_code) if response.status_code >= 500 else ""
    if match := request.resolver_match:
        route = f"/{match.route}"
        name = f"{_method(request, 'HTTP')} {route}"
        tracing.describe({**answered, "http.route": route}, name=name, failure=failure)
    else:
        tracing.describe(answered, failure=failure)


def _method(request: HttpRequest, other: str) -> str:
    """One that is known; whoever asks can make up others."""
    return request.method if request.method in _METHODS else other
