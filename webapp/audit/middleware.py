"""Says for each request who acts and from where."""

from collections.abc import Callable
from ipaddress import ip_address
from typing import cast

from django.http import HttpRequest, HttpResponseBase
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from webapp.audit.context import NOBODY, Actor, Origin, acting


class AuditMiddleware:
    """The session's user acts; whoever finds an API token says so with `acting`.

    Responses that stream make their own entries before they begin.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Asked late: a person may sign in during the request, and most requests record nothing.
        with acting(lambda: _user_of(request), origin=origin_of(request)):
            return self.get_response(request)


def origin_of(request: HttpRequest) -> Origin:
    """As far as our own proxies vouch for it (`HEMATOVISION_PROXIES`)."""
    return Origin(_address(request), request.headers.get("User-Agent", ""))


def _user_of(request: HttpRequest) -> Actor:
    user = request.user
    return Actor(user.pk, str(user)) if user.is_authenticated else NOBODY


def _address(request: HttpRequest) -> str:
    try:
        return str(ip_address(BaseThrottle().get_ident(cast(Request, request)) or ""))
    except ValueError:
        return ""
