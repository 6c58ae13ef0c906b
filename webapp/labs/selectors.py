from uuid import UUID

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
    """The user's active memberships with their labs, by lab name."""
    return list(
        Membership.objects.filter(user=user, active=True).select_related("lab", "user").order_by("lab__name")
    )


def membership_for_token(secret: str) -> Membership | None:
    return (
        Membership.objects.filter(active=True, user__is_active=True, api_tokens__digest=digest(secret))
        .select_related("lab", "user")
        .first()
    )
