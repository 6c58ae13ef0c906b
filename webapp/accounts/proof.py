"""Who is there, asked for one deed: not whether somebody signed in lately, but that it is them now."""

import json
import time
from collections.abc import Callable
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa import signals
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth as webauthn
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webapp.accounts import trail
from webapp.accounts.methods import Method, methods_of, providers_of
from webapp.accounts.models import User
from webapp.accounts.signing_pins import PinLocked, is_right

_FRESH = "fresh_sign_in"  # in the session, until it is used
_PROVES = "proves"  # in what allauth keeps of a sign-in elsewhere
_DEED = "deed"  # in what allauth keeps of the question to a key


class NotProved(Exception):
    """What was given does not show that it is them; the message says why. It is on record."""

    code = "not_proved"


class TooManyProofs(NotProved):
    """It was wrong too often."""

    code = "throttled"


def prove(request: HttpRequest, user: User, method: Method, given: str, *, deed: str) -> None:
    """Check that it is `user` who does `deed` now. Call it in no transaction: what is wrong stays counted.

    Args:
        given: a password, code or PIN; of a passkey its answer, as JSON; of a provider nothing.
        deed: what a fresh sign-in elsewhere was asked for; it proves nothing else.

    Raises:
        NotProved: what was given is wrong, or not asked of them.
        TooManyProofs: it was wrong too often.
    """
    if method not in methods_of(user):
        raise NotProved(_("You do not have this way to say who you are. Choose another."))
    try:
        is_them = _CHECKS[method](request, user, given, deed)
    except ValidationError as error:  # allauth's: too many attempts, or a key's answer that is none
        if _is_too_many(error):
            raise TooManyProofs(" ".join(error.messages)) from error
        is_them = False
        trail.proof_failed(user)
    if not is_them:
        raise NotProved(str(_WRONG[method]))


def begin_passkey(user: User, *, deed: str) -> dict[str, Any]:
    """What a browser asks a key for; the session keeps what its answer must fit, and for which deed it was
    asked. What is asked for anything else takes its place."""
    asked: dict[str, Any] = webauthn.begin_authentication(user)
    webauthn.set_state({**(webauthn.get_state() or {}), _DEED: deed})
    return asked


def ask_provider(request: HttpRequest, user: User, *, deed: str, back: str) -> HttpResponse:
    """Send the person to their identity provider to sign in there now, and `back` then.

    Raises:
        NotProved: they have none that says when somebody signed in.
    """
    providers = providers_of(user)
    if not providers:
        raise NotProved(_("You do not have this way to say who you are. Choose another."))
    asked: HttpResponse = providers[0].redirect(
        request,
        AuthProcess.REDIRECT,
        next_url=back,
        # `max_age=0` alone is a must for providers (OpenID Connect Core 3.1.2.1); some heed `prompt` alone.
        auth_params={"max_age": "0", "prompt": "login"},
        **{_PROVES: {"deed": deed, "asked_at": time.time()}},
    )
    return asked


def has_fresh_sign_in(request: HttpRequest, user: User, *, deed: str) -> bool:
    """Whether they signed in at their provider for this deed a moment ago."""
    fresh = request.session.get(_FRESH)
    return (
        isinstance(fresh, dict)
        and fresh.get("user") == user.pk
        and fresh.get("deed") == deed
        and time.time() - float(fresh.get("at", 0)) < settings.PROOF_SECONDS
    )


def note_fresh_sign_in(request: HttpRequest, sociallogin: SocialLogin) -> None:
    """Keep that somebody came back from their provider, where it was asked to sign them in anew.

    Raises:
        ImmediateHttpResponse: where they go on, whether it is them or not.
    """
    asked = sociallogin.state.get(_PROVES)
    if not asked:
        return
    user, auth_time = request.user, getattr(sociallogin, "auth_time", None)
    since = asked["asked_at"] - settings.OIDC_CLOCK_LEEWAY_SECONDS
    is_them = sociallogin.is_existing and sociallogin.user == user
    if is_them and isinstance(auth_time, int | float) and auth_time >= since:
        request.session[_FRESH] = {"user": user.pk, "deed": asked["deed"], "at": time.time()}
    else:
        request.session.pop(_FRESH, None)
        if isinstance(user, User):
            trail.proof_failed(user)
    raise ImmediateHttpResponse(HttpResponseRedirect(sociallogin.get_redirect_url(request) or "/"))


def _password(request: HttpRequest, user: User, given: str, deed: str) -> bool:
    # A wrong one is recorded where all wrong passwords are.
    return bool(get_adapter(request).reauthenticate(user, given))


def _code(request: HttpRequest, user: User, given: str, deed: str) -> bool:
    """An app's code alone: a recovery code stands in for a lost factor, and signs nothing."""
    right = check_rate_limit(user)
    app = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    if app is None or not app.wrap().validate_code(given):
        signals.authentication_failed.send(
            sender=Authenticator, request=request, user=user, authenticator=app, reauthentication=True
        )
        return False
    right()
    app.record_usage()
    return True


def _passkey(request: HttpRequest, user: User, given: str, deed: str) -> bool:
    right = check_rate_limit(user)
    try:
        answer = json.loads(given)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise get_adapter(request).validation_error("incorrect_code")
    webauthn.parse_authentication_response(answer)
    if (webauthn.get_state() or {}).get(_DEED) != deed:
        raise get_adapter().validation_error("incorrect_code")
    key = webauthn.complete_authentication(user, answer)
    right()
    key.record_usage()
    return True


def _provider(request: HttpRequest, user: User, given: str, deed: str) -> bool:
    fresh = has_fresh_sign_in(request, user, deed=deed)
    request.session.pop(_FRESH, None)  # it signs once
    return fresh


def _pin(request: HttpRequest, user: User, given: str, deed: str) -> bool:
    right = check_rate_limit(user)
    try:
        if not is_right(request, user, given):
            trail.proof_failed(user)
            return False
    except PinLocked:
        trail.proof_failed(user)
        text = _("This PIN was wrong too often and is locked. Set a new one in your account.")
        raise TooManyProofs(text) from None
    right()
    return True


def _is_too_many(error: ValidationError) -> bool:
    return getattr(error, "code", None) == "too_many_login_attempts"


_CHECKS: dict[Method, Callable[[HttpRequest, User, str, str], bool]] = {
    Method.PASSKEY: _passkey,
    Method.TOTP: _code,
    Method.PASSWORD: _password,
    Method.PROVIDER: _provider,
    Method.PIN: _pin,
}
_WRONG = {
    Method.PASSKEY: gettext_lazy("This key was not recognised. Try again, or choose another way."),
    Method.TOTP: gettext_lazy("This code is wrong, used or too old. Look at the newest one."),
    Method.PASSWORD: gettext_lazy("This password is wrong. Passwords are case-sensitive."),
    Method.PROVIDER: gettext_lazy(
        "You did not sign in at your identity provider just now, or did so as somebody else."
    ),
    Method.PIN: gettext_lazy("This PIN is wrong."),
}
