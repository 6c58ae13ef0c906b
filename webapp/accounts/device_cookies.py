"""Device cookies: the rate limit of sign-ins counts a known browser apart from strangers.

Else a stranger's wrong passwords would lock the owner out (OWASP, Slow Down Online Guessing Attacks with
Device Cookies). The cookie signs nobody in: it only says which count of wrong passwords is theirs.
"""

import secrets
from typing import Any

from allauth.account.signals import user_logged_in
from django.conf import settings
from django.core import signing
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from webapp.accounts.models import User

SALT = "webapp.accounts.devices"
MOST = 20  # people who share a workstation; who was there longest ago is forgotten


def known_device(request: HttpRequest, email: str) -> str | None:
    """The id of the browser, if `email` has signed in with it before."""
    device, people = _read(request)
    return device if _mark(email) in people else None


@receiver(user_logged_in)
def _remember(request: HttpRequest, response: HttpResponse, user: User, **_: Any) -> None:
    device, people = _read(request)
    mine = _mark(user.email)
    people = [mine, *(other for other in people if other != mine)][:MOST]
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        signing.dumps([device or secrets.token_urlsafe(16), people], salt=SALT),
        max_age=settings.DEVICE_COOKIE_DAYS * 24 * 3600,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _read(request: HttpRequest) -> tuple[str, list[str]]:
    try:
        device, people = signing.loads(
            request.COOKIES.get(settings.DEVICE_COOKIE_NAME, ""),
            salt=SALT,
            max_age=settings.DEVICE_COOKIE_DAYS * 24 * 3600,
        )
    except (signing.BadSignature, ValueError):
        return "", []
    return device, people


def _mark(email: str) -> str:
    """An e-mail address as a cookie may hold it: only we can tell whose it is."""
    return salted_hmac(SALT, email.lower(), algorithm="sha256").hexdigest()[:16]
