"""What the person at the page may do."""

from django import template

from webapp.labs.models import Membership
from webapp.labs.permissions import Permission

register = template.Library()


@register.filter
def may(membership: Membership, permission: str) -> bool:
    return membership.may(Permission(permission))
