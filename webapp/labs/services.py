import hashlib
import secrets

from django.db import transaction
from django_scopes import scope

from webapp.accounts.models import User
from webapp.accounts.services import create_account
from webapp.audit.actions import Action
from webapp.audit.folding import record_refusal
from webapp.audit.services import record
from webapp.labs.models import ApiToken, Lab, Membership
from webapp.labs.permissions import Permission, Role

# Lets secret scanners and people recognise a leaked token.
TOKEN_MARK = "hv_"  # noqa: S105 - the public beginning of every token


@transaction.atomic
def add_member(lab: Lab, *, email: str, name: str, role: Role, password: str) -> Membership:
    """Make `email` a member of `lab` with `role`, creating the person with `password` if they are new.

    An existing person keeps their password; an existing membership takes the new role.
    """
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        user = create_account(email, name=name, password=password)
    with scope(lab=lab):
        before = Membership.objects.filter(user=user).values("role").first()
        membership, _ = Membership.objects.update_or_create(
            lab=lab, user=user, defaults={"role": role, "active": True}
        )
    record(
        Action.MEMBER_ROLE_SET,
        lab=lab.id,
        subject=str(user),
        subject_id=f"user {user.pk}",
        before=before and {"role": Role(before["role"]).label},
        after={"role": role.label},
    )
    return membership


@transaction.atomic
def issue_token(membership: Membership, name: str) -> tuple[ApiToken, str]:
    """Make an API token. The secret is returned once and cannot be had again."""
    secret = TOKEN_MARK + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        membership=membership, name=name, prefix=prefix_of(secret), digest=digest(secret)
    )
    record(
        Action.TOKEN_MADE,
        lab=membership.lab_id,
        subject=f"{token.prefix}… ({name}) of {membership.user}",
        subject_id=f"user {membership.user_id}",
    )
    return token, secret


def record_refused(membership: Membership | None, needed: Permission) -> None:
    """Record that whoever asks now was refused what needs a permission; many times are folded into few."""
    lab = membership.lab_id if membership else None
    record_refusal(
        Action.ACCESS_REFUSED, lab=lab, subject=f"“{needed.label}”", subject_id=f"permission {needed.value}"
    )


def prefix_of(secret: str) -> str:
    """What of a token may be shown, to tell it from others."""
    return secret[:11]


def digest(secret: str) -> bytes:
    """SHA-256 is enough: the secret is 256 random bits, so there is nothing to guess."""
    return hashlib.sha256(secret.encode()).digest()
