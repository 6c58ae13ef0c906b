"""Bodies in a character set that is none of ours are not read at all."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.translation import gettext as _

UNDERSTOOD = frozenset({"utf-8", "utf8", "us-ascii"})


class CharsetMiddleware:
    """Answers 415 to a body that says it is not UTF-8: Python has encodings that fail on text, or blow up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        named = (request.content_params or {}).get("charset", "utf-8")
        if named.strip("\"'").lower() in UNDERSTOOD:
            return self.get_response(request)
        body = {"error": {"code": "unsupported_media_type", "message": _("Send text as UTF-8.")}}
        return JsonResponse(body, status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
