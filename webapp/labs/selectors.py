from uuid import UUID

from django.db.models import QuerySet
from django_scopes import scopes_disabled

from webapp.accounts.models import User
from webapp.labs.models import ApiToken, Invitation, Lab, Membership
from webapp.writing.text import one_line


def lab_called(text: str) -> Lab | None:
    """The lab of this id or, in any case, of this name."""
    try:
        return Lab.objects.filter(id=UUID(text)).first()
    except ValueError:
        return Lab.objects.filter(name__iexact=one_line(text)).first()


def memberships_of(user: User) -> list[Membership]:
    """The user's active memberships of all labs, by lab name: what a scope is chosen from."""
    with scopes_disabled():
        found = Membership.objects.filter(user=user, active=True)
        memberships = list(found.select_related("lab").order_by("lab__name"))
    for membership in memberships:
        membership.user = user  # as they were when they said who they are
    return memberships


def members(lab: Lab) -> list[Membership]:
    """All members of the lab, those who were deactivated last, by name."""
    found = Membership.objects.filter(lab=lab).select_related("lab", "user")
    return list(found.order_by("-active", "user__name", "user__email"))


def invitations(lab: Lab) -> list[Invitation]:
    """The lab's open invitations, expired ones included, latest first."""
    return list(Invitation.objects.filter(lab=lab).select_related("invited_by").order_by("-sent_at"))


def tokens_of(membership: Membership) -> QuerySet[ApiToken]:
    """The member's own API tokens in this lab, newest first."""
    return lab_tokens().filter(membership=membership)


def lab_tokens() -> QuerySet[ApiToken]:
    """The API tokens of all members of the lab, newest first."""
    return ApiToken.objects.select_related("membership__user", "membership__lab").order_by("-created_at")
