"""Who may have cases: those who decide or sign."""

from webapp.labs.models import Lab, Membership
from webapp.labs.permissions import Permission


def may_have_cases(member: Membership | None) -> bool:
    """Whether cases may be this member's work."""
    if member is None or not member.user.is_active:
        return False
    return member.may(Permission.DECIDE) or member.may(Permission.SIGN)


def people(lab: Lab, *, locked: bool = False) -> list[Membership]:
    """Those of a lab's members who may have cases, by name.

    Args:
        locked: nobody changes them until the transaction ends.
    """
    found = Membership.objects.filter(lab=lab, active=True).select_related("lab", "user")
    if locked:
        found = found.select_for_update(no_key=True, of=("self",)).order_by("id")
    return sorted(filter(may_have_cases, found), key=lambda one: (str(one.user).casefold(), one.user_id))
