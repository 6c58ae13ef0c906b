from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.cases.models import Case, Patient
from webapp.labs.models import Lab


class AccessionTaken(Exception):
    """The lab has a case with this accession number already."""


def create_case(lab: Lab, *, accession: str, by: User, identifiers: Mapping[str, Any] | None = None) -> Case:
    """Open a case for one specimen.

    Args:
        identifiers: who the patient is, by the names in `webapp.cases.identifiers.FIELDS`.

    Raises:
        AccessionTaken: the accession number names another case of this lab.
    """
    try:
        with transaction.atomic():
            case = Case.objects.create(lab=lab, accession=accession, created_by=by)
            record(Action.CASE_CREATED, lab=lab.id, subject=accession, subject_id=f"case {case.id}")
    except IntegrityError as error:
        raise AccessionTaken(
            f"Case {accession} exists already. Open it, or choose another accession number."
        ) from error
    change_identifiers(case, identifiers or {})
    return case


@transaction.atomic
def change_identifiers(case: Case, changes: Mapping[str, Any]) -> None:
    """Enter or correct who the patient is.

    Args:
        changes: new values by the names in `webapp.cases.identifiers.FIELDS`; what is not named stays.
    """
    patient = Patient.objects.select_for_update().filter(case=case).first()
    if patient is None and not any(changes.values()):
        return
    patient = patient or Patient(case=case, lab=case.lab)
    for name, value in changes.items():
        setattr(patient, name, value)
    patient.save()
