"""What the person at the page may do."""

from allauth.account.adapter import get_adapter
from django import template
from django.template import Context

from webapp.labs.models import Membership
from webapp.labs.permissions import Permission, Role

register = template.Library()


@register.filter
def may(membership: Membership, permission: str) -> bool:
    return membership.may(Permission(permission))


@register.simple_tag(takes_context=True)
def sign_up_is_open(context: Context) -> bool:
    """Whether whoever asks may make an account."""
    return bool(get_adapter().is_open_for_signup(context["request"]))


@register.filter
def permission(value: str) -> str:
    """What a permission allows, in words."""
    return str(Permission(value).label)


@register.filter
def role_in_sentence(value: str) -> str:
    """What a role is called within a sentence."""
    return Role(value).in_sentence
