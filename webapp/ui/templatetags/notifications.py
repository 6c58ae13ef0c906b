"""What the person at the page was told, and how much of it they have not read."""

from django import template

from webapp.labs.models import Membership
from webapp.notifications import selectors, wording
from webapp.notifications.models import Notification

register = template.Library()


@register.filter
def unread(membership: Membership) -> str:
    """Their number, or that there are many."""
    number = selectors.unread(membership)
    return f"{selectors.MOST_COUNTED - 1}+" if number >= selectors.MOST_COUNTED else str(number)


@register.filter
def unusable(notification: Notification) -> str:
    """How many of a case's files were refused, and how many failed."""
    return wording.counts(notification.facts, wording.UNUSABLE)


@register.filter
def cases(n: int) -> str:
    """How many cases."""
    return wording.cases(n)
