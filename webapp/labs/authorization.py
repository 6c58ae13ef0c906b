"""The one place where pages and API ask whether somebody may, and where denials are put on record."""

from webapp.audit.actions import Action
from webapp.audit.folding import record_denial
from webapp.labs.models import Membership
from webapp.labs.permissions import Permission


def may(membership: Membership | None, permission: Permission) -> bool:
    """Whether the member who asks may do it; a denial is recorded, many are folded into few."""
    if membership is not None and membership.may(permission):
        return True
    record_denial(
        Action.ACCESS_DENIED,
        lab=membership.lab_id if membership else None,
        subject=f"“{permission.label}”",
        subject_id=f"permission {permission.value}",
    )
    return False
