"""Headers of every answer that Django has no setting for."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponseBase

HEADERS = {
    # Pages use none of these; a script that got in could not either.
    "Permissions-Policy": (
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), "
        "microphone=(), midi=(), payment=(), serial=(), usb=()"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    # Workstations are shared: who comes next must not go back to a patient's page. What may be kept says so.
    "Cache-Control": "no-store",
}


@receiver(user_logged_out)
def _note(request: HttpRequest | None = None, **_: Any) -> None:
    if request is not None:
        request.signed_out = True  # type: ignore[attr-defined]


class HeadersMiddleware:
    """Adds `HEADERS` to what a view did not say otherwise, and has browsers forget at signing out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if hasattr(request, "signed_out"):
            response.headers["Clear-Site-Data"] = '"cache"'
        return response
