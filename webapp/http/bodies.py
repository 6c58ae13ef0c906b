"""Who may send a large body, and how many at once.

A small body has arrived before its request gets a thread (`webapp.http.gunicorn_worker`). A large one keeps a
thread for as long as its sender takes, and lies on disk meanwhile. So only those who signed in may send one.
"""

import threading
from collections.abc import Callable

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.utils.translation import gettext as _

from webapp.http.gunicorn_worker import BUFFERED_BYTES
from webapp.labs.requests import LabRequest

SMALL = BUFFERED_BYTES

_MEGABYTE = 1024 * 1024


class BodyMiddleware:
    """Rejects large bodies by their length, before a byte of them is parsed or written anywhere."""

    def __init__(self, get_response: Callable[[LabRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._room = threading.BoundedSemaphore(settings.HTTP_LARGE_BODIES_AT_ONCE)

    def __call__(self, request: LabRequest) -> HttpResponseBase:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        if length <= SMALL:
            return self.get_response(request)
        if not (request.membership or request.user.is_authenticated):
            text = _("Without signing in, send %(most)s KB at most.")
            return _rejection(request, 413, "body_too_large", text % {"most": SMALL // 1024})
        if length > settings.UPLOAD_REQUEST_MAX_BYTES:
            most = settings.UPLOAD_REQUEST_MAX_BYTES // _MEGABYTE
            text = _("One request may hold %(most)s MB. Send fewer files at once, or ask for upload forms.")
            return _rejection(request, 413, "body_too_large", text % {"most": most})
        if not self._room.acquire(blocking=False):
            busy = _rejection(
                request,
                503,
                "busy",
                _("Others are sending large requests. Nothing was taken; try again in a moment."),
            )
            busy.headers["Retry-After"] = str(settings.HTTP_LARGE_BODY_RETRY_AFTER_SECONDS)
            return busy
        try:
            return self.get_response(request)
        finally:
            self._room.release()


def _rejection(request: LabRequest, status: int, code: str, message: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"error": {"code": code, "message": message}}, status=status)
    return HttpResponse(message, status=status, content_type="text/plain")
