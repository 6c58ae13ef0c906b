from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.cases.identifiers import Identifiers, labels
from webapp.cases.models import Case, Patient
from webapp.cases.selectors import cases_of_patient
from webapp.labs.models import Lab

MOST_OF_A_PATIENT = 200


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
            record(Action.CASE_CREATED, lab=lab.id, subject=case.accession, subject_id=f"case {case.id}")
            change_identifiers(case, identifiers or {})
            return case
    except IntegrityError as error:
        raise AccessionTaken(
            f"Case {accession} exists already. Open it, or choose another accession number."
        ) from error


@transaction.atomic
def change_identifiers(case: Case, changes: Mapping[str, Any]) -> None:
    """Enter or correct who the patient is.

    Args:
        changes: new values by the names in `webapp.cases.identifiers.FIELDS`; what is not named stays, even
            where it cannot be read.
    """
    patient = Patient.objects.select_for_update().filter(case=case).first()
    if not changes or (patient is None and not any(changes.values())):
        return
    if patient is None:
        Patient.objects.create(case=case, lab_id=case.lab_id, **changes)
    else:
        for name, value in changes.items():
            setattr(patient, name, value)
        patient.save(update_fields={*changes, *({"mrn_hash"} if "mrn" in changes else ())})
    _record(Action.IDENTIFIERS_CHANGED, case, labels(changes))


def report_unreadable(case: Case, identifiers: Identifiers) -> None:
    """Keep on record that somebody who opened the case could not be shown some of `identifiers`."""
    if identifiers.unreadable:
        _record(Action.IDENTIFIERS_UNREADABLE, case, labels(identifiers.unreadable))


def find_patient(lab: Lab, mrn: str) -> list[Case]:
    """The newest `MOST_OF_A_PATIENT` cases of the patient with this MRN; the search is kept on record."""
    found = list(cases_of_patient(lab.id, mrn)[:MOST_OF_A_PATIENT])
    record(Action.PATIENT_SEARCHED, lab=lab.id, after={"cases": len(found)})
    return found


def _record(action: Action, case: Case, fields: str) -> None:
    subject_id = f"case {case.id}"
    record(action, lab=case.lab_id, subject=case.accession, subject_id=subject_id, after={"fields": fields})
