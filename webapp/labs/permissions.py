"""Who may do what: the one table of roles and permissions, and how far a lab may depart from it."""

from collections.abc import Mapping

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Role(TextChoices):
    TECHNICIAN = "technician", _("Technician")
    PATHOLOGIST = "pathologist", _("Pathologist")
    SUPERVISOR = "lab_supervisor", _("Lab supervisor")
    CLINICIAN = "clinician", _("Clinician")
    RESEARCHER = "researcher", _("Researcher")
    DATA_SCIENTIST = "data_scientist", _("Data scientist")
    LEARNER = "learner", _("Learner")
    ADMIN = "admin", _("Administrator")

    @property
    def in_sentence(self) -> str:
        """What it is called within a sentence."""
        return str(_IN_SENTENCE[self])


_IN_SENTENCE = {
    Role.TECHNICIAN: pgettext_lazy("within a sentence", "technician"),
    Role.PATHOLOGIST: pgettext_lazy("within a sentence", "pathologist"),
    Role.SUPERVISOR: pgettext_lazy("within a sentence", "lab supervisor"),
    Role.CLINICIAN: pgettext_lazy("within a sentence", "clinician"),
    Role.RESEARCHER: pgettext_lazy("within a sentence", "researcher"),
    Role.DATA_SCIENTIST: pgettext_lazy("within a sentence", "data scientist"),
    Role.LEARNER: pgettext_lazy("within a sentence", "learner"),
    Role.ADMIN: pgettext_lazy("within a sentence", "administrator"),
}


class Permission(TextChoices):
    VIEW_CASES = "view_cases", _("See cases, their images and counts")
    CREATE_CASES = "create_cases", _("Create cases")
    UPLOAD_IMAGES = "upload_images", _("Upload images to a case")
    REQUEUE_FAILED = "requeue_failed", _("Send failed images to the model again")
    VIEW_IDENTIFIERS = "view_identifiers", _("See who the patient is")
    EDIT_IDENTIFIERS = "edit_identifiers", _("Enter and correct who the patient is")
    DECIDE = "decide", _("Decide of what class a cell is")
    SIGN = "sign", _("Sign the result of a case")
    AMEND = "amend", _("Amend a signed result")
    READ_SECOND = "read_second", _("Read a case a second time, without seeing the first reading")
    ASSIGN = "assign", _("Assign cases to people")
    APPROVE = "approve", _("Approve reference ranges, rules and exports")
    READ_REPORTS = "read_reports", _("Read signed reports")
    REQUEST_EXPORTS = "request_exports", _("Ask for exports of signed cases, and fetch them")
    VIEW_SIGNED_CELLS = "view_signed_cells", _("See the cells of signed cases, and not whose they are")
    VIEW_METRICS = "view_metrics", _("See how much the lab does, and how fast")
    DO_EXERCISES = "do_exercises", _("Do exercises on cells that were decided")
    VIEW_MODELS = "view_models", _("See the models, their versions and what they are worth")
    USE_TOKENS = "use_tokens", _("Use the API with tokens of one's own")
    VIEW_AUDIT = "view_audit", _("See the audit trail")
    MANAGE_TOKENS = "manage_tokens", _("See and revoke the API tokens of others")
    MANAGE_MEMBERS = "manage_members", _("Invite people, set their roles, deactivate and remove them")
    MANAGE_ROLES = "manage_roles", _("Change what each role may do")
    MANAGE_LAB = (
        "manage_lab",
        _("Set the lab's language, time zone, scanners, classes of cells, full count and turnaround"),
    )


_P = Permission

# What nothing asks for yet: no role has it, no lab can give it, no token holds it, no page shows it, whatever
# the tables below say. The change that brings the first address which asks for one takes it out of here.
PLANNED: frozenset[Permission] = frozenset(
    {
        _P.READ_REPORTS,
        _P.REQUEST_EXPORTS,
        _P.VIEW_SIGNED_CELLS,
        _P.VIEW_METRICS,
        _P.DO_EXERCISES,
    }
)
IN_USE: tuple[Permission, ...] = tuple(permission for permission in _P if permission not in PLANNED)

_BENCH = frozenset({_P.VIEW_CASES, _P.CREATE_CASES, _P.UPLOAD_IMAGES, _P.REQUEUE_FAILED})
_IDENTIFIERS = frozenset({_P.VIEW_IDENTIFIERS, _P.EDIT_IDENTIFIERS})
_TOOLS = frozenset({_P.VIEW_MODELS, _P.USE_TOKENS})
_RESULTS = frozenset({_P.DECIDE, _P.SIGN, _P.AMEND, _P.READ_SECOND})
_OVERSIGHT = frozenset({_P.ASSIGN, _P.APPROVE, _P.VIEW_METRICS})
_MANAGEMENT = frozenset({_P.VIEW_AUDIT, _P.MANAGE_TOKENS, _P.MANAGE_MEMBERS, _P.MANAGE_ROLES, _P.MANAGE_LAB})

TABLE: dict[Role, frozenset[Permission]] = {
    Role.TECHNICIAN: _BENCH | _IDENTIFIERS | {_P.DECIDE, _P.USE_TOKENS},
    Role.PATHOLOGIST: _BENCH | _IDENTIFIERS | _RESULTS | {_P.USE_TOKENS},
    Role.SUPERVISOR: _TOOLS | _OVERSIGHT | {_P.VIEW_CASES, _P.REQUEUE_FAILED},
    Role.CLINICIAN: frozenset({_P.READ_REPORTS, _P.USE_TOKENS}),
    Role.RESEARCHER: frozenset({_P.REQUEST_EXPORTS, _P.USE_TOKENS}),
    Role.DATA_SCIENTIST: _TOOLS | {_P.VIEW_SIGNED_CELLS, _P.VIEW_METRICS},
    Role.LEARNER: frozenset({_P.DO_EXERCISES}),
    # Who the patients are is nothing that inviting people and setting roles requires; nor are results.
    Role.ADMIN: _MANAGEMENT | _BENCH | _TOOLS,
}

# What a lab may give a role, or take from it. All else stays as in TABLE. Nobody but administrators manages
# people and roles, and they cannot lose it, and no lab can show them who a patient is. Nobody but
# pathologists signs. Clinicians see signed reports only, researchers exports only, learners exercises only.
ADJUSTABLE: dict[Role, frozenset[Permission]] = {
    Role.TECHNICIAN: _BENCH | _IDENTIFIERS | _TOOLS | {_P.DECIDE},
    Role.PATHOLOGIST: (_BENCH - {_P.VIEW_CASES}) | _IDENTIFIERS | _TOOLS,  # who decides must see
    Role.SUPERVISOR: (_BENCH - {_P.VIEW_CASES}) | _IDENTIFIERS | _TOOLS | {_P.VIEW_AUDIT},  # so must they
    Role.CLINICIAN: frozenset({_P.USE_TOKENS}),
    Role.RESEARCHER: frozenset({_P.USE_TOKENS}),
    Role.DATA_SCIENTIST: _TOOLS,
    Role.LEARNER: frozenset(),
    Role.ADMIN: _BENCH | _TOOLS,
}

# Without the second, the first would lead nowhere.
PRESUPPOSES: dict[Permission, Permission] = {
    _P.CREATE_CASES: _P.VIEW_CASES,
    _P.UPLOAD_IMAGES: _P.VIEW_CASES,
    _P.REQUEUE_FAILED: _P.VIEW_CASES,
    _P.VIEW_IDENTIFIERS: _P.VIEW_CASES,
    _P.EDIT_IDENTIFIERS: _P.VIEW_IDENTIFIERS,
    _P.DECIDE: _P.VIEW_CASES,
    _P.SIGN: _P.DECIDE,
    _P.AMEND: _P.SIGN,
    _P.READ_SECOND: _P.DECIDE,
    _P.ASSIGN: _P.VIEW_CASES,
    _P.APPROVE: _P.VIEW_CASES,
}

Changes = Mapping[str, Mapping[str, bool]]
"""Where a lab departs from TABLE: role → permission → whether it has it."""


def adjustable(role: Role) -> frozenset[Permission]:
    """What a lab may give `role`, or take from it, today."""
    return ADJUSTABLE[role] - PLANNED


def allows(role: Role, permission: Permission, changes: Changes | None = None) -> bool:
    """Whether `role` has `permission` in a lab that departs from the table by `changes`.

    A change outside ADJUSTABLE counts for nothing, however it came to be stored.
    """
    if permission in PLANNED:
        return False
    default = permission in TABLE[role]
    if not changes or permission not in ADJUSTABLE[role]:
        return default
    return changes.get(role.value, {}).get(permission.value, default)


def granted(role: Role, changes: Changes | None = None) -> frozenset[Permission]:
    """All that `role` may do in a lab that departs from the table by `changes`."""
    return frozenset(permission for permission in IN_USE if allows(role, permission, changes))
