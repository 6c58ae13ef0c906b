"""Inviting people into a lab: an open invitation is a secret in a mailed link, for one e-mail address."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_scopes import scope, scopes_disabled

from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.selectors import subjects_since
from webapp.audit.services import record
from webapp.labs import mails
from webapp.labs.models import Invitation, Lab, Membership
from webapp.labs.permissions import Role
from webapp.labs.secrets import digest, new_secret

DAY = timedelta(days=1)

Link = Callable[[str], str]
"""Makes the address of an invitation from its secret, which is kept nowhere."""

# A forged link is told by its signature, before the database is asked.
_signer = Signer(salt="webapp.labs.invitations")


class CannotInvite(Exception):
    """The person is a member or invited already; the message says what to do instead."""


class TooManyInvitations(CannotInvite):
    """The lab has sent as many as it may in a day; the message says when it may go on."""


class CannotAccept(Exception):
    """The invitation is not, or no longer, this person's to accept; the message says why."""


@transaction.atomic
def invite(lab: Lab, *, email: str, role: Role, by: User, link: Link) -> Invitation:
    """Invite whoever owns `email`, and mail them the link.

    Raises:
        CannotInvite: they belong to the lab or are invited already.
        TooManyInvitations: by this lab today.
    """
    member = Membership.objects.filter(lab=lab, user__email__iexact=email).first()
    if member is not None:
        text = (
            _("%(email)s is a member of %(lab)s already.")
            if member.active
            else _("%(email)s is a member of %(lab)s already. Reactivate them instead.")
        )
        raise CannotInvite(text % {"email": email, "lab": lab})
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
        text = _("%(email)s is invited already. Send the invitation again instead.")
        raise CannotInvite(text % {"email": email}) from error
    record(Action.MEMBER_INVITED, lab=lab.id, subject=email, after={"role": role.label})
    _check_rate_limit(lab.id, email)
    mails.send_invitation(invitation, link(_signer.sign(secret)))
    return invitation


@transaction.atomic
def renew(invitation: Invitation, *, link: Link) -> None:
    """Let the invitation run anew, and mail another link; the former leads nowhere.

    Raises:
        TooManyInvitations: by this lab today.
    """
    secret = new_secret()
    invitation.digest, invitation.sent_at, invitation.expires_at = digest(secret), timezone.now(), _expiry()
    invitation.save(update_fields=["digest", "sent_at", "expires_at"])
    record(Action.INVITATION_RENEWED, lab=invitation.lab_id, subject=invitation.email)
    _check_rate_limit(invitation.lab_id, invitation.email)
    mails.send_invitation(invitation, link(_signer.sign(secret)))


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
        raise CannotAccept(_("This invitation has expired, was revoked, or has been accepted already."))
    if invitation.email.lower() != user.email.lower():
        text = _("This invitation is for %(invited)s; you are signed in as %(email)s.")
        raise CannotAccept(text % {"invited": invitation.email, "email": user.email})
    lab = invitation.lab
    with scope(lab=lab):
        if Membership.objects.filter(lab=lab, user=user).exists():
            raise CannotAccept(_("You are a member of %(lab)s already.") % {"lab": lab})
        membership = Membership.objects.create(lab=lab, user=user, role=invitation.role)
        invitation.delete()
    role = Role(membership.role)
    record(Action.MEMBER_JOINED, lab=lab.id, subject=user.email, after={"role": role.label})
    return membership


def delete_expired(older_than: timedelta) -> int:
    """Delete invitations that expired longer ago than `older_than`, of all labs; returns how many."""
    with scopes_disabled():
        deleted, _ = Invitation.objects.filter(expires_at__lt=timezone.now() - older_than).delete()
    return deleted


def _check_rate_limit(lab: UUID, email: str) -> None:
    """The rate limit of invitations: roll the transaction back if this message is one too many.

    Counted are the entries of the trail, which stay where an invitation is revoked and made anew; who
    records in a lab's chain waits until the one before has committed, so no two are the last at once.
    """
    mailed = (Action.MEMBER_INVITED, Action.INVITATION_RENEWED)
    sent = subjects_since(lab, mailed, timezone.now() - DAY)
    if len(sent) > settings.INVITATIONS_A_DAY:
        text = ngettext(
            "Your lab has sent %(n)s invitation within 24 hours, and may send no "
            "more. Go on tomorrow, or ask whoever runs the installation for a higher limit.",
            "Your lab has sent %(n)s invitations within 24 hours, and may send no "
            "more. Go on tomorrow, or ask whoever runs the installation for a higher limit.",
            settings.INVITATIONS_A_DAY,
        )
        raise TooManyInvitations(text % {"n": settings.INVITATIONS_A_DAY})
    if sum(address.lower() == email.lower() for address in sent) > settings.INVITATIONS_A_DAY_TO_ONE:
        text = ngettext(
            "%(email)s was sent %(n)s invitation within 24 hours. Ask them to "
            "look among unwanted mail; you can send another tomorrow.",
            "%(email)s was sent %(n)s invitations within 24 hours. Ask them to "
            "look among unwanted mail; you can send another tomorrow.",
            settings.INVITATIONS_A_DAY_TO_ONE,
        )
        raise TooManyInvitations(text % {"email": email, "n": settings.INVITATIONS_A_DAY_TO_ONE})


def _expiry() -> datetime:
    return timezone.now() + timedelta(days=settings.INVITATION_DAYS)
