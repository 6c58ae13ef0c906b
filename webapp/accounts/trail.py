"""What is kept on record of accounts, in the installation's chain: listens to allauth and Django."""

from collections.abc import Collection, Mapping
from typing import Any

from allauth.account import signals as account_signals
from allauth.account.authentication import get_authentication_records
from allauth.mfa import signals as mfa_signals
from allauth.mfa.models import Authenticator
from allauth.socialaccount import signals as social_signals
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.usersessions.models import UserSession
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from serving.contract.sentence import N_
from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.context import Actor
from webapp.audit.folding import record_denial
from webapp.audit.services import record

FACTORS = {
    Authenticator.Type.TOTP: N_("authenticator app"),
    Authenticator.Type.WEBAUTHN: N_("security key"),
    Authenticator.Type.RECOVERY_CODES: N_("recovery codes"),
}
UNKNOWN = N_("somebody unknown")


def sessions_ended(sessions: Collection[UserSession]) -> None:
    for user in {session.user for session in sessions}:
        ended = sum(session.user_id == user.pk for session in sessions)
        _record(Action.SESSIONS_ENDED, user, after={"sessions": ended}, actor=None)


def name_changed(user: User, name: str) -> None:
    """By the person themselves, who still has the old one."""
    _record(Action.NAME_CHANGED, user, before={"name": user.name}, after={"name": name})


def account_changed(user: User, *, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """By somebody else, who is the one that acts; so below."""
    _record(Action.ACCOUNT_CHANGED, user, before=before, after=after, actor=None)


def factor_removed(user: User, authenticator: Authenticator) -> None:
    _record(Action.FACTOR_REMOVED, user, before={"factor": FACTORS[authenticator.type]}, actor=None)


def signing_pin_set(user: User, *, is_new: bool) -> None:
    _record(Action.SIGNING_PIN_SET if is_new else Action.SIGNING_PIN_CHANGED, user)


def signing_pin_removed(user: User) -> None:
    _record(Action.SIGNING_PIN_REMOVED, user)


def signing_pin_locked(user: User) -> None:
    _record(Action.SIGNING_PIN_LOCKED, user)


def proof_failed(user: User) -> None:
    """Who is signed in was asked who they are, and did not show it; wrong passwords and codes tell it
    themselves."""
    _failed(user)


def code_used(user: User, authenticator: Authenticator) -> None:
    """A second factor was right. Only the use of a recovery code is worth an entry of its own."""
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        left = len(authenticator.wrap().get_unused_codes())
        _record(Action.RECOVERY_CODE_USED, user, after={"left": left})


def _record(action: Action, user: User, **values: Any) -> None:
    """With the person themselves as the actor, whether or not the request knows them already."""
    values.setdefault("actor", Actor(user.pk, str(user)))
    record(action, lab=None, subject=str(user), subject_id=f"user {user.pk}", **values)


def _failed(user: User | None) -> None:
    record_denial(Action.SIGN_IN_FAILED, lab=None, subject=user.email if user else UNKNOWN)


@receiver(user_logged_in)
def _signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    how = [entry["method"] for entry in get_authentication_records(request, user)]
    _record(Action.SIGNED_IN, user, after={"how": how})


@receiver(user_logged_out)
def _signed_out(user: User | None, **_: Any) -> None:
    if user:
        _record(Action.SIGNED_OUT, user)


@receiver(user_login_failed)
def _password_wrong(credentials: dict[str, Any], **_: Any) -> None:
    # Nothing of what was typed is kept: people type passwords where the address belongs.
    _failed(User.objects.filter(email__iexact=str(credentials.get("email", ""))).first())


@receiver(mfa_signals.authentication_failed)
@receiver(account_signals.login_code_rejected)
@receiver(account_signals.password_reset_code_rejected)
def _code_wrong(user: User | None, **_: Any) -> None:
    _failed(user)


@receiver(account_signals.user_signed_up)
def _signed_up(user: User, **_: Any) -> None:
    _record(Action.SIGNED_UP, user)


@receiver(account_signals.password_set)
@receiver(account_signals.password_changed)
def _password_changed(user: User, **_: Any) -> None:
    _record(Action.PASSWORD_CHANGED, user)


@receiver(account_signals.password_reset)
def _password_reset(user: User, **_: Any) -> None:
    _record(Action.PASSWORD_RESET, user)


@receiver(account_signals.email_changed)
def _email_changed(user: User, from_email_address: Any, to_email_address: Any, **_: Any) -> None:
    if from_email_address:  # else it is the first, which signing up says
        before, after = {"email": from_email_address.email}, {"email": to_email_address.email}
        _record(Action.EMAIL_CHANGED, user, before=before, after=after)


@receiver(mfa_signals.authenticator_added)
@receiver(mfa_signals.authenticator_reset)
def _factor_added(user: User, authenticator: Authenticator, **_: Any) -> None:
    _record(Action.FACTOR_ADDED, user, after={"factor": FACTORS[authenticator.type]})


@receiver(mfa_signals.authenticator_removed)
def _factor_removed(user: User, authenticator: Authenticator, **_: Any) -> None:
    factor_removed(user, authenticator)


@receiver(mfa_signals.authenticator_used)
def _factor_used(user: User, authenticator: Authenticator, **_: Any) -> None:
    code_used(user, authenticator)


@receiver(social_signals.social_account_added)
def _service_connected(sociallogin: SocialLogin, **_: Any) -> None:
    _record(
        Action.SERVICE_CONNECTED, sociallogin.user, after={"service": sociallogin.account.get_provider().name}
    )


@receiver(social_signals.social_account_removed)
def _service_disconnected(socialaccount: SocialAccount, **_: Any) -> None:
    _record(
        Action.SERVICE_DISCONNECTED, socialaccount.user, before={"service": socialaccount.get_provider().name}
    )
