"""Signing in outside the pages, and being let in by an invitation. Allauth asks for the request in both."""

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.core import ratelimit
from allauth.mfa.base.forms import AuthenticateForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from webapp.accounts import trail
from webapp.accounts.models import User
from webapp.accounts.selectors import has_second_factor
from webapp.accounts.wording import too_many_attempts, too_many_codes


class SignInFailed(Exception):
    """Somebody could not be signed in; the message says why, `code` says it to programs."""

    code = "wrong_credentials"


class TooManyAttempts(SignInFailed):
    code = "throttled"


class CodeNeeded(SignInFailed):
    """The password is right, and the account asks for a second factor."""

    code = "second_factor_needed"


class CodeWrong(SignInFailed):
    code = "second_factor_wrong"


class EmailNotVerified(SignInFailed):
    code = "email_not_verified"


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
        SignInFailed: e-mail or password is wrong, or the account is closed.
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
        raise TooManyAttempts(too_many_attempts())
    if user is None or not user.is_active:
        raise SignInFailed(_("E-mail or password is wrong."))
    if not EmailAddress.objects.filter(user=user, verified=True).exists():
        raise EmailNotVerified(
            _("Sign in on the web page once: it asks for the code that was mailed to you.")
        )
    if has_second_factor(user):
        _check_code(user, code)
    return user


def _check_code(user: User, code: str) -> None:
    if not code:
        raise CodeNeeded(_("This account has a second factor: give the code of your authenticator app."))
    form = AuthenticateForm({"code": code}, user=user)
    if not form.is_valid():
        if form.has_error("code", "too_many_login_attempts"):
            raise TooManyAttempts(too_many_codes())
        raise CodeWrong(_("The code is wrong, used or too old. A recovery code is taken too."))
    form.authenticator.record_usage()
    trail.code_used(user, form.authenticator)
