"""How much the person at the page has not read."""

from django import template

from webapp.labs.models import Membership
from webapp.notifications import selectors

register = template.Library()


@register.filter
def unread(membership: Membership) -> str:
    """Their number, or that there are many."""
    number = selectors.unread(membership)
    return f"{selectors.MOST_COUNTED - 1}+" if number >= selectors.MOST_COUNTED else str(number)
