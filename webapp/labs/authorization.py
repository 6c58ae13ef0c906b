"""The one place where pages and API ask whether somebody may, and where refusals are put on record."""

from webapp.audit.actions import Action
from webapp.audit.folding import record_refusal
from webapp.labs.permissions import Permission
from webapp.labs.requests import LabRequest


def may(request: LabRequest, permission: Permission) -> bool:
    """Whether the member who asks may do it; a refusal is recorded, many are folded into few."""
    membership = request.membership
    if membership is not None and membership.may(permission):
        return True
    record_refusal(
        Action.ACCESS_REFUSED,
        lab=membership.lab_id if membership else None,
        subject=f"“{permission.label}”",
        subject_id=f"permission {permission.value}",
    )
    return False
