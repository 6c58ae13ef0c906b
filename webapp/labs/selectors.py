from uuid import UUID

from django_scopes import scopes_disabled

from webapp.accounts.models import User
from webapp.labs.models import Lab, Membership
from webapp.labs.services import digest


def lab_called(text: str) -> Lab | None:
    """The lab of this id or, in any case, of this name."""
    try:
        return Lab.objects.filter(id=UUID(text)).first()
    except ValueError:
        return Lab.objects.filter(name__iexact=text).first()


def memberships_of(user: User) -> list[Membership]:
    """The user's active memberships of all labs, by lab name: what a scope is chosen from."""
    with scopes_disabled():
        found = Membership.objects.filter(user=user, active=True)
        return list(found.select_related("lab", "user").order_by("lab__name"))


def membership_for_token(secret: str) -> Membership | None:
    """The active membership that this token acts as."""
    with scopes_disabled():
        found = Membership.objects.filter(
            active=True, user__is_active=True, api_tokens__digest=digest(secret)
        )
        return found.select_related("lab", "user").first()
