"""Inviting people into a lab: an open invitation is a secret in a mailed link, for one e-mail address."""

from datetime import datetime, timedelta

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.labs.models import Invitation, Lab, Membership
from webapp.labs.permissions import Role
from webapp.labs.secrets import digest, new_secret

# A forged link is told by its signature, before the database is asked.
_signer = Signer(salt="webapp.labs.invitations")


class CannotInvite(Exception):
    """The person is a member or invited already; the message says what to do instead."""


class CannotAccept(Exception):
    """The invitation is not, or no longer, this person's to accept; the message says why."""


@transaction.atomic
def invite(lab: Lab, *, email: str, role: Role, by: User) -> tuple[Invitation, str]:
    """Invite whoever owns `email`; returns the invitation and the secret for its link, which is not kept.

    Raises:
        CannotInvite: they belong to the lab or are invited already.
    """
    member = Membership.objects.filter(lab=lab, user__email__iexact=email).first()
    if member is not None:
        again = "" if member.active else " Reactivate them instead."
        raise CannotInvite(f"{email} is a member of {lab} already.{again}")
    secret = new_secret()
    try:
        with transaction.atomic():
            invitation = Invitation.objects.create(
                lab=lab,
                email=email,
                role=role,
                digest=digest(secret),
                invited_by=by,
                expires_at=_expiry(),
            )
    except IntegrityError as error:
        raise CannotInvite(f"{email} is invited already. Send the invitation again instead.") from error
    record(Action.MEMBER_INVITED, lab=lab.id, subject=email, after={"role": role.label})
    return invitation, _signer.sign(secret)


@transaction.atomic
def renew(invitation: Invitation) -> str:
    """Let the invitation run anew with another secret, which is returned; the former link leads nowhere."""
    secret = new_secret()
    invitation.digest, invitation.sent_at, invitation.expires_at = digest(secret), timezone.now(), _expiry()
    invitation.save(update_fields=["digest", "sent_at", "expires_at"])
    record(Action.INVITATION_RENEWED, lab=invitation.lab_id, subject=invitation.email)
    return _signer.sign(secret)


@transaction.atomic
def revoke(invitation: Invitation) -> None:
    """Take an invitation back: its link leads nowhere from now on."""
    record(Action.INVITATION_REVOKED, lab=invitation.lab_id, subject=invitation.email)
    invitation.delete()


def open_invitation(signed: str, *, lock: bool = False) -> Invitation | None:
    """The open invitation that a link's secret belongs to, of whatever lab."""
    try:
        secret = _signer.unsign(signed)
    except BadSignature:
        return None
    with scopes_disabled():
        found = Invitation.objects.filter(digest=digest(secret), expires_at__gt=timezone.now())
        if lock:
            found = found.select_for_update(of=("self",))
        return found.select_related("lab", "invited_by").first()


@transaction.atomic
def accept(signed: str, user: User) -> Membership:
    """Make `user`, whose e-mail must be the invited one, a member as they were invited to be.

    Raises:
        CannotAccept: the invitation is gone, is for somebody else, or they are a member already.
    """
    invitation = open_invitation(signed, lock=True)
    if invitation is None:
        raise CannotAccept("This invitation has expired, was withdrawn, or has been accepted already.")
    if invitation.email.lower() != user.email.lower():
        raise CannotAccept(f"This invitation is for {invitation.email}; you are signed in as {user.email}.")
    lab = invitation.lab
    with scope(lab=lab):
        if Membership.objects.filter(lab=lab, user=user).exists():
            raise CannotAccept(f"You are a member of {lab} already.")
        membership = Membership.objects.create(lab=lab, user=user, role=invitation.role)
        invitation.delete()
    record(
        Action.MEMBER_JOINED, lab=lab.id, subject=user.email, after={"role": membership.get_role_display()}
    )
    return membership


def _expiry() -> datetime:
    return timezone.now() + timedelta(days=settings.INVITATION_DAYS)
