from dataclasses import dataclass

from django.db.models import QuerySet

from webapp.labs.models import Membership
from webapp.notifications.models import Kind, Notification, Preference

MOST_COUNTED = 100


@dataclass(frozen=True)
class Choice:
    """Where somebody is told of a kind; nobody gets mail who did not ask for it."""

    kind: Kind
    in_page: bool = True
    by_mail: bool = False


def inbox(membership: Membership) -> QuerySet[Notification]:
    """What the member was told, latest first."""
    return (
        Notification.objects.filter(recipient=membership)
        .select_related("case")
        .order_by("-created_at", "-id")
    )


def unread(membership: Membership) -> int:
    """How many of them are unread; MOST_COUNTED stands for more."""
    return Notification.objects.filter(recipient=membership, read_at=None)[:MOST_COUNTED].count()


def choices(membership: Membership) -> list[Choice]:
    """One for each kind."""
    made = {chosen.kind: chosen for chosen in Preference.objects.filter(membership=membership)}
    return [
        Choice(kind, made[kind].in_page, made[kind].by_mail) if kind in made else Choice(kind)
        for kind in Kind
    ]
