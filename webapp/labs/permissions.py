"""Who may do what: the one table of roles and permissions."""

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
    VIEW_MODELS = "view_models", "See the models, their versions and what they are worth"


_P = Permission
TABLE: dict[Role, frozenset[Permission]] = {
    Role.TECHNICIAN: frozenset({_P.VIEW_CASES, _P.CREATE_CASES, _P.UPLOAD_IMAGES, _P.REQUEUE_FAILED}),
    Role.PATHOLOGIST: frozenset({_P.VIEW_CASES, _P.CREATE_CASES, _P.UPLOAD_IMAGES, _P.REQUEUE_FAILED}),
    Role.SUPERVISOR: frozenset({_P.VIEW_CASES, _P.REQUEUE_FAILED, _P.VIEW_MODELS}),
    Role.CLINICIAN: frozenset(),  # signed reports only, once cases can be signed
    Role.RESEARCHER: frozenset(),  # anonymised exports only
    Role.DATA_SCIENTIST: frozenset({_P.VIEW_MODELS}),  # and labelled images, once cells are reviewed
    Role.ADMIN: frozenset(_P),
}


def allows(role: Role, permission: Permission) -> bool:
    return permission in TABLE[role]
