"""Who may do what: the one table of roles and permissions, and how far a lab may depart from it."""

from collections.abc import Mapping

from django.db.models import TextChoices


class Role(TextChoices):
    TECHNICIAN = "technician", "Technician"
    PATHOLOGIST = "pathologist", "Pathologist"
    SUPERVISOR = "lab_supervisor", "Lab supervisor"
    CLINICIAN = "clinician", "Clinician"
    RESEARCHER = "researcher", "Researcher"
    DATA_SCIENTIST = "data_scientist", "Data scientist"
    ADMIN = "admin", "Administrator"


class Permission(TextChoices):
    VIEW_CASES = "view_cases", "See cases, their images and counts"
    CREATE_CASES = "create_cases", "Create cases"
    UPLOAD_IMAGES = "upload_images", "Upload images to a case"
    REQUEUE_FAILED = "requeue_failed", "Send failed images to the model again"
    VIEW_IDENTIFIERS = "view_identifiers", "See who the patient is"
    EDIT_IDENTIFIERS = "edit_identifiers", "Enter and correct who the patient is"
    VIEW_MODELS = "view_models", "See the models, their versions and what they are worth"
    USE_TOKENS = "use_tokens", "Use the API with tokens of one's own"
    VIEW_AUDIT = "view_audit", "See the audit trail"
    MANAGE_TOKENS = "manage_tokens", "See and revoke the API tokens of others"
    MANAGE_MEMBERS = "manage_members", "Invite people, set their roles, deactivate and remove them"
    MANAGE_ROLES = "manage_roles", "Change what each role may do"
    MANAGE_LAB = "manage_lab", "Set the lab's time zone and how many cells are a full count"


_P = Permission
_BENCH = frozenset({_P.VIEW_CASES, _P.CREATE_CASES, _P.UPLOAD_IMAGES, _P.REQUEUE_FAILED})
_IDENTIFIERS = frozenset({_P.VIEW_IDENTIFIERS, _P.EDIT_IDENTIFIERS})
_TOOLS = frozenset({_P.VIEW_MODELS, _P.USE_TOKENS})

TABLE: dict[Role, frozenset[Permission]] = {
    Role.TECHNICIAN: _BENCH | _IDENTIFIERS | {_P.USE_TOKENS},
    Role.PATHOLOGIST: _BENCH | _IDENTIFIERS | {_P.USE_TOKENS},
    Role.SUPERVISOR: _TOOLS | {_P.VIEW_CASES, _P.REQUEUE_FAILED},
    Role.CLINICIAN: frozenset({_P.USE_TOKENS}),  # and signed reports, once cases can be signed
    Role.RESEARCHER: frozenset({_P.USE_TOKENS}),  # and anonymised exports, once cases can be signed
    Role.DATA_SCIENTIST: _TOOLS,  # and labelled images, once cells are reviewed
    # Who the patients are is nothing that inviting people and setting roles requires.
    Role.ADMIN: frozenset(_P) - _IDENTIFIERS,
}

# What a lab may give a role, or take from it. All else stays as in TABLE: nobody but administrators manages
# people and roles, and they cannot lose it; clinicians are to see signed cases only, researchers anonymised
# data only, once there are any, and neither can be given more.
ADJUSTABLE: dict[Role, frozenset[Permission]] = {
    Role.TECHNICIAN: _BENCH | _IDENTIFIERS | _TOOLS,
    Role.PATHOLOGIST: _BENCH | _IDENTIFIERS | _TOOLS,
    Role.SUPERVISOR: _BENCH | _IDENTIFIERS | _TOOLS | {_P.VIEW_AUDIT},
    Role.CLINICIAN: frozenset({_P.USE_TOKENS}),
    Role.RESEARCHER: frozenset({_P.USE_TOKENS}),
    Role.DATA_SCIENTIST: _TOOLS,
    Role.ADMIN: _BENCH | _IDENTIFIERS | _TOOLS,
}

# Without the second, the first would lead nowhere.
PRESUPPOSES: dict[Permission, Permission] = {
    _P.CREATE_CASES: _P.VIEW_CASES,
    _P.UPLOAD_IMAGES: _P.VIEW_CASES,
    _P.REQUEUE_FAILED: _P.VIEW_CASES,
    _P.VIEW_IDENTIFIERS: _P.VIEW_CASES,
    _P.EDIT_IDENTIFIERS: _P.VIEW_IDENTIFIERS,
}

Changes = Mapping[str, Mapping[str, bool]]
"""Where a lab departs from TABLE: role → permission → whether it has it."""


def allows(role: Role, permission: Permission, changes: Changes | None = None) -> bool:
    """Whether `role` has `permission` in a lab that departs from the table by `changes`.

    A change outside ADJUSTABLE counts for nothing, however it came to be stored.
    """
    default = permission in TABLE[role]
    if not changes or permission not in ADJUSTABLE[role]:
        return default
    return changes.get(role.value, {}).get(permission.value, default)


def granted(role: Role, changes: Changes | None = None) -> frozenset[Permission]:
    """All that `role` may do in a lab that departs from the table by `changes`."""
    return frozenset(permission for permission in Permission if allows(role, permission, changes))
