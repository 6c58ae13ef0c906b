"""Making accounts, and checking who somebody is outside the pages."""

from datetime import timedelta
from importlib import import_module

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.core import ratelimit
from allauth.mfa.base.forms import AuthenticateForm
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from webapp.accounts import trail
from webapp.accounts.models import User
from webapp.accounts.selectors import has_second_factor


class SignInRefused(Exception):
    """Somebody could not be signed in; the message says why, `code` says it to programs."""

    code = "wrong_credentials"


class TooManyAttempts(SignInRefused):
    code = "throttled"


class CodeNeeded(SignInRefused):
    """The password is right, and the account asks for a second factor."""

    code = "second_factor_needed"


class CodeWrong(SignInRefused):
    code = "second_factor_wrong"


class EmailNotVerified(SignInRefused):
    code = "email_not_verified"


@transaction.atomic
def create_account(email: str, *, name: str, password: str | None = None) -> User:
    """Make an account for somebody whose e-mail address its maker vouches for: no code is sent to it."""
    user = User.objects.create_user(email, password, name=name)
    EmailAddress.objects.create(user=user, email=user.email.lower(), verified=True, primary=True)
    return user


@transaction.atomic
def change_name(user: User, name: str) -> None:
    """Give a person, who wishes it, another name; what they did before stays on record under the old one."""
    if name != user.name:
        trail.name_changed(user, name)
        user.name = name
        user.save(update_fields=["name"])


def forget_expired_sessions() -> int:
    """Delete sessions whose time is over, and what allauth lists of sessions that are no more; returns how
    many of the latter."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    gone = ~Exists(Session.objects.filter(session_key=OuterRef("session_key")))
    # One that is being begun is listed before it is saved.
    deleted, _ = UserSession.objects.filter(gone, created_at__lt=timezone.now() - timedelta(hours=1)).delete()
    return int(deleted)


def welcome(request: HttpRequest, email: str) -> str:
    """Let this session sign up as `email`, even where sign-up is closed, and without a code sent to it.

    Call it only for the address to which the invitation in hand was mailed. Returns the page to go to.
    """
    get_adapter(request).stash_verified_email(request, email.lower())
    return reverse("account_signup")


def authenticate(request: HttpRequest, email: str, password: str, code: str = "") -> User:
    """Who this is, for a program that signs in without pages; at the same rates as the pages.

    Args:
        code: of an authenticator app, or a recovery code, where the account has a second factor.

    Raises:
        TooManyAttempts: from this address, or for this e-mail.
        CodeNeeded: the account has a second factor, and no code was given.
        CodeWrong: the code is.
        EmailNotVerified: the person has not yet proved that the address is theirs.
        SignInRefused: e-mail or password is wrong, or the account is closed.
    """
    adapter = get_adapter(request)
    try:
        allowed = ratelimit.consume(request, action="login")
        user: User | None = None
        if allowed:
            user = adapter.authenticate(request, email=email, password=password)
    except ValidationError:
        allowed = False
    if not allowed:
        raise TooManyAttempts("Too many attempts to sign in. Wait five minutes, then try again.")
    if user is None or not user.is_active:
        raise SignInRefused("E-mail or password is wrong.")
    if not EmailAddress.objects.filter(user=user, verified=True).exists():
        raise EmailNotVerified("Sign in on the web page once: it asks for the code that was mailed to you.")
    if has_second_factor(user):
        _check_code(user, code)
    return user


def _check_code(user: User, code: str) -> None:
    if not code:
        raise CodeNeeded("This account has a second factor: give the code of your authenticator app.")
    form = AuthenticateForm({"code": code}, user=user)
    if not form.is_valid():
        if form.has_error("code", "too_many_login_attempts"):
            raise TooManyAttempts("Too many wrong codes. Wait five minutes, then try again.")
        raise CodeWrong("The code is wrong, used or too old. A recovery code is taken too.")
    form.authenticator.record_usage()
    trail.code_used(user, form.authenticator)
