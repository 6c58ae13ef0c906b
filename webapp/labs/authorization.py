"""The one place where pages and API check a permission, and where denials are recorded."""

from webapp.audit.actions import Action
from webapp.audit.folding import record_denial
from webapp.labs.models import Membership
from webapp.labs.permissions import Permission
from webapp.language.sentences import as_written


def may(membership: Membership | None, permission: Permission) -> bool:
    """Whether the member has the permission; a denial is recorded, and repeated ones are folded."""
    if membership is not None and membership.may(permission):
        return True
    record_denial(
        Action.ACCESS_DENIED,
        lab=membership.lab_id if membership else None,
        subject=f"“{as_written(permission.label)}”",
        subject_id=f"permission {permission.value}",
    )
    return False
