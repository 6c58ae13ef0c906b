import hashlib
import secrets

from django.db import transaction
from django_scopes import scope

from webapp.accounts.models import User
from webapp.accounts.services import create_account
from webapp.labs.models import ApiToken, Lab, Membership
from webapp.labs.permissions import Role

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
        membership, _ = Membership.objects.update_or_create(
            lab=lab, user=user, defaults={"role": role, "active": True}
        )
    return membership


def issue_token(membership: Membership, name: str) -> tuple[ApiToken, str]:
    """Make an API token. The secret is returned once and cannot be had again."""
    secret = TOKEN_MARK + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        membership=membership, name=name, prefix=secret[:11], digest=digest(secret)
    )
    return token, secret


def digest(secret: str) -> bytes:
    """SHA-256 is enough: the secret is 256 random bits, so there is nothing to guess."""
    return hashlib.sha256(secret.encode()).digest()
