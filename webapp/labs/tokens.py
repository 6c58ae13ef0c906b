"""API tokens: made and revoked by people, used by programs."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext as _
from django_scopes import scope, scopes_disabled

from webapp.accounts.models import User, password_replaced
from webapp.accounts.selectors import has_second_factor
from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.audit.words import TOKEN_OF
from webapp.labs import mails
from webapp.labs.models import ApiToken, Membership
from webapp.labs.permissions import Permission
from webapp.labs.secrets import digest, new_secret

# Lets secret scanners and people recognise a leaked token.
TOKEN_MARK = "hv_"  # noqa: S105 - the public beginning of every token


class InvalidToken(Exception):
    """A request's token is invalid; the message is for whoever sent it."""

    code = "invalid_token"

    def __str__(self) -> str:
        return _(
            "This API token is not valid here: it is unknown, expired, revoked, or not allowed from your "
            "address. Sign in again to get a new one."
        )


class SecondFactorNeeded(InvalidToken):
    code = "second_factor_needed"

    def __str__(self) -> str:
        return _(
            "Your role in this lab asks for a second factor of sign-in. Set one up in your account, then "
            "make a new API token: those made before are not accepted."
        )


@transaction.atomic
def issue_token(
    membership: Membership,
    name: str,
    *,
    scopes: Iterable[Permission] | None = None,
    days: int | None = None,
    networks: Iterable[str] = (),
) -> tuple[ApiToken, str]:
    """Make an API token. The secret is returned once and cannot be had again.

    Args:
        scopes: what it may do at most; None: whatever its owner may.
        days: until it expires; None: as long as the server allows.
        networks: where it may be used from, in CIDR notation; none: anywhere.

    Raises:
        PermissionDenied: the owner's password has been replaced since `membership` was read.
    """
    # Whoever asks with the old password at that moment would have a token that does not end with the others.
    owner = User.objects.select_for_update(no_key=True).filter(pk=membership.user_id)
    if owner.values_list("password", flat=True).get() != membership.user.password:
        raise PermissionDenied(_("The password has been replaced. Sign in again."))
    secret = TOKEN_MARK + new_secret()
    lifetime = timedelta(days=min(days or settings.TOKEN_DAYS, settings.TOKEN_DAYS))
    token = ApiToken.objects.create(
        membership=membership,
        name=name,
        prefix=secret[:11],
        digest=digest(secret),
        scopes=None if scopes is None else sorted(permission.value for permission in scopes),
        networks=list(networks),
        second_factor=has_second_factor(membership.user),
        expires_at=timezone.now() + lifetime,
    )
    _record(Action.TOKEN_MADE, token, after=_described(token))
    return token, secret


def network(text: str) -> str:
    """A network in CIDR notation, or a single address as one, in its usual form.

    Raises:
        ValueError: it is none; the message says what is one.
    """
    try:
        return str(ip_network(text.strip()))
    except ValueError as error:
        message = _(
            "“%(text)s” is not a network. Write it as 192.0.2.0/24 or 2001:db8::/32, or give one address."
        )
        raise ValueError(message % {"text": text}) from error


@receiver(password_replaced)
def end_with_password(user: User, **__: Any) -> None:
    """End the API tokens of a person whose password was replaced, in all their labs, and tell them.

    Whoever knew the old password could have made them, by the page or by the API. This holds for a change by
    the owner as well as for a reset: we cannot know why the owner changed it, and a new token takes a minute.
    """
    with scopes_disabled():
        owned = (
            ApiToken.objects.filter(membership__user=user)
            .select_related("membership__lab")
            .order_by("membership__lab_id", "id")
        )
        ended = list(owned.select_for_update(of=("self",)))
        ApiToken.objects.filter(id__in=[token.id for token in ended]).delete()
    for token in ended:
        token.membership.user = user
        _record(Action.TOKEN_ENDED, token, before=_described(token))
    if ended:
        mails.send_tokens_ended(user, ended)


@transaction.atomic
def revoke(token: ApiToken) -> None:
    """End a token at once and for good."""
    _record(Action.TOKEN_REVOKED, token, before=_described(token))
    token.delete()


def delete_expired(older_than: timedelta) -> int:
    """Delete tokens that expired longer ago than `older_than`, of all labs; returns how many."""
    with scopes_disabled():
        deleted, _ = ApiToken.objects.filter(expires_at__lt=timezone.now() - older_than).delete()
    return deleted


def use(secret: str, address: str) -> Membership:
    """The active membership that this token acts as, limited to its scopes; notes that it was used.

    Args:
        address: the IP address that it is used from.

    Raises:
        InvalidToken: it is unknown, expired or revoked, or may not be used from there.
        SecondFactorNeeded: the lab asks for a second factor that its owner had not when it was made, or has
            no more.
    """
    token = _token(secret)
    if token is None or token.expired or not token.is_allowed_from(address):
        raise InvalidToken
    membership = token.membership
    if not membership.may(Permission.USE_TOKENS):
        raise InvalidToken
    if membership.needs_second_factor and not (token.second_factor and has_second_factor(membership.user)):
        raise SecondFactorNeeded
    membership.token = token
    _note_use(token)
    return membership


def _token(secret: str) -> ApiToken | None:
    with scopes_disabled():
        found = ApiToken.objects.filter(
            digest=digest(secret), membership__active=True, membership__user__is_active=True
        )
        return found.select_related("membership__lab", "membership__user").first()


def _note_use(token: ApiToken) -> None:
    """Keep when the token was used last, without a write at every request."""
    now = timezone.now()
    exactly = timedelta(seconds=settings.TOKEN_LAST_USE_SECONDS)
    if token.last_used_at is None or token.last_used_at <= now - exactly:
        with scope(lab=token.membership.lab):
            ApiToken.objects.filter(id=token.id).update(last_used_at=now)


def _record(
    action: Action,
    token: ApiToken,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    owner = token.membership.user
    record(
        action,
        lab=token.membership.lab_id,
        subject=TOKEN_OF % {"token": token, "owner": owner},
        subject_id=f"user {owner.pk}",
        before=before,
        after=after,
    )


def _described(token: ApiToken) -> dict[str, object]:
    return {
        "scopes": token.scopes,
        "networks": token.networks,
        "expires_at": token.expires_at,
    }
