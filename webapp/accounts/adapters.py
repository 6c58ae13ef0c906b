"""Where our accounts differ from what allauth does by itself: sign-up, rate limits, second factors, mails."""

from collections.abc import Collection, Iterable
from typing import Any

from allauth.core import context, ratelimit
from allauth.core.internal.ratelimit import consume, get_ip
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from webapp.accounts import factors, trail
from webapp.accounts.device_cookies import known_device
from webapp.accounts.mails import AccountMails
from webapp.accounts.models import User
from webapp.accounts.proof import note_fresh_sign_in
from webapp.accounts.reauthentication import is_fresh
from webapp.accounts.wording import PRODUCT, too_many_attempts
from webapp.writing.text import shown

NAME_LENGTH = User._meta.get_field("name").max_length
INVITED = "account_verified_email"  # where allauth keeps an address that somebody has proved to be theirs


class AccountAdapter(AccountMails):
    error_messages = {
        **AccountMails.error_messages,
        "account_inactive": _("This account is closed. Ask an administrator of your lab."),
        "email_password_mismatch": _("E-mail or password is wrong. Passwords are case-sensitive."),
        "incorrect_code": _("This code is wrong, used or too old. Look at the newest one."),
        "incorrect_password": _("This password is wrong. Passwords are case-sensitive."),
        "too_many_login_attempts": lazy(too_many_attempts, str)(),
        "rate_limited": _("Too many attempts. Wait a minute, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.SIGN_UP == "open" or self.invited_address(request) is not None

    def may_sign_up(self, request: HttpRequest, emails: Collection[str]) -> bool:
        """Whether somebody with these addresses may make an account: all may, or one of them is invited."""
        return settings.SIGN_UP == "open" or self.invited_address(request) in emails

    def invited_address(self, request: HttpRequest) -> str | None:
        """The address that an invitation in this session was mailed to (`sign_in.welcome`)."""
        address: str | None = request.session.get(INVITED)
        return address

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Signing in a moment ago is fresh too; allauth would ask again at once."""
        return super().is_reauthentication_required(app=app, **kwargs) and not is_fresh(context.request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count an attempt by address and account together, and those of unknown browsers by account as well.

        What strangers get wrong does not count for a browser in which the person has signed in before; and
        many strangers together get no further than one would.
        """
        super().pre_authenticate(request, **credentials)
        email = str(credentials.get("email", "")).lower()
        if known_device(request, email) is None:
            together = consume(
                request, app="allauth.account", action="login_failed_unknown_browser", key=email
            )
            if not together:
                self._rollback_login_failed_rl_usage()
                raise self.validation_error("too_many_login_attempts")
            self._login_failed_rl_usage.usage.extend(together.usage)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Whose wrong passwords are counted together: those of one browser, or else of one address."""
        email = str(credentials.get("email", "")).lower()
        return f"{email}:{known_device(request, email) or get_ip(request)}"

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        """Begin anew for a person who has proved who they are by a mailed code."""
        super()._delete_login_attempts_cached_email(request, **credentials)
        email = str(credentials.get("email", "")).lower()
        ratelimit.clear(request, action="login_failed_unknown_browser", key=email)


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    error_messages = {
        **DefaultSocialAccountAdapter.error_messages,
        "disconnect_last": _("This is your only way to sign in. Set a password first."),
    }

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        verified = {address.email.lower() for address in sociallogin.email_addresses if address.verified}
        return bool(AccountAdapter(request).may_sign_up(request, verified))

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        note_fresh_sign_in(request, sociallogin)

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        user: User = super().populate_user(request, sociallogin, data)
        parts = (data.get("first_name"), data.get("last_name"))
        user.name = shown(data.get("name") or " ".join(filter(None, parts)))[:NAME_LENGTH]
        return user

    def get_signup_form_initial_data(self, sociallogin: SocialLogin) -> dict[str, Any]:
        return {**super().get_signup_form_initial_data(sociallogin), "name": sociallogin.user.name}


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("This code is wrong, used or too old. Look at the newest one."),
    }

    def encrypt(self, text: str) -> str:
        return factors.seal_secret(text)

    def decrypt(self, encrypted_text: str) -> str:
        return factors.open_secret(encrypted_text)

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002 - allauth's
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return gettext("Security key %(number)s") % {"number": number}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": context.request.get_host().partition(":")[0], "name": PRODUCT}


class UserSessionsAdapter(DefaultUserSessionsAdapter):  # type: ignore[misc]
    def end_sessions(self, sessions: Iterable[UserSession]) -> None:
        ended = list(sessions)
        super().end_sessions(ended)
        trail.sessions_ended(ended)
