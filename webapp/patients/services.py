from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from webapp.crypto.cipher import Unreadable
from webapp.patients.identifiers import FIELDS
from webapp.patients.models import Patient, PatientKey
from webapp.patients.selectors import patients, with_mrn


class PatientErased(Exception):
    """Nothing can be entered of somebody who was erased."""

    def __init__(self) -> None:
        super().__init__(_("This patient was erased. Open a new case to enter somebody."))


class MergedInto(Exception):
    """They were merged into another patient, who is to be erased instead."""

    def __init__(self, patient_id: UUID) -> None:
        text = _("They were merged into patient %(patient)s. Erase that one.")
        super().__init__(text % {"patient": patient_id})


def lock_patients(lab_id: UUID) -> None:
    """Let nobody else change who the lab's patients are, or whose a case is, until the transaction ends.

    It is taken before any row is locked, so that two who merge, split or enter the same person wait for each
    other and never for good. Readers do not wait.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('patients ' || %s, 0))", [str(lab_id)])


def known_by(lab_id: UUID, mrn: str) -> Patient | None:
    """Whom the lab knows by the MRN. `lock_patients` has been called."""
    return with_mrn(lab_id, mrn).first() if mrn else None


def enter(lab_id: UUID, values: Mapping[str, Any]) -> Patient:
    """Make a patient, with a key of their own. `lock_patients` has been called.

    Args:
        values: by the names in `webapp.patients.identifiers.FIELDS`; the MRN is nobody's.
    """
    patient = Patient(lab_id=lab_id, **values)
    key = PatientKey.of(patient)
    patient.save(force_insert=True)
    key.save(force_insert=True)
    return patient


def correct(patient: Patient, changes: Mapping[str, Any]) -> None:
    """Write new values; what is not named stays, even where it cannot be read.

    `lock_patients` has been called.

    Raises:
        PatientErased: there is nothing to correct any more.
    """
    if patient.erased_at:
        raise PatientErased
    if not changes:
        return
    if changes.get("mrn"):
        _take_over_mrn(patient, changes["mrn"])
    for name, value in changes.items():
        setattr(patient, name, value)
    patient.save(update_fields=changes)
    if "mrn" in changes:
        patient.key.save(update_fields=["mrn_hash"])


def complete(patient: Patient, given: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Write what was not known of a patient; what was known stays. `lock_patients` has been called.

    Returns:
        Which were written, and which of `given` are other than what was known, or than what cannot be read.

    Raises:
        PatientErased: nothing can be written any more.
    """
    missing, differing = {}, []
    for name in FIELDS:
        if not (value := given.get(name)):
            continue
        try:
            known = getattr(patient, name)
        except Unreadable:
            differing.append(name)
            continue
        if not known:
            missing[name] = value
        elif known != value:
            differing.append(name)
    correct(patient, missing)
    return list(missing), differing


def merge(into: Patient, merged: Patient) -> list[str]:
    """Say that two are one person; `lock_patients` has been called.

    Returns:
        What is known of the two and differs: of `into` it stays, and `merged` keeps theirs.

    Raises:
        PatientErased: one of them was erased.
    """
    if into.erased_at or merged.erased_at:
        raise PatientErased
    known = {}
    for name in FIELDS:
        with suppress(Unreadable):
            known[name] = getattr(merged, name)
    Patient.objects.filter(Q(id=merged.id) | Q(merged_into=merged)).update(merged_into=into)
    taken, differing = complete(into, known)
    Patient.objects.filter(id=merged.id).update(gave=taken)
    return differing


def part(patient: Patient, into: Patient) -> None:
    """Say that one who was merged is somebody of their own after all: what was taken over from them is theirs
    alone again, unless it was corrected since. `lock_patients` has been called."""
    given_back = {}
    for name in patient.gave:
        with suppress(Unreadable):
            # An MRN is one person's: they have had none since.
            if name == "mrn" or getattr(into, name) == getattr(patient, name):
                given_back[name] = getattr(into, name)
    correct(into, {name: None if name == "birth_date" else "" for name in given_back})
    correct(patient, given_back)
    Patient.objects.filter(id=patient.id).update(merged_into=None, gave=[])


@transaction.atomic
def erase(patient: Patient) -> None:
    """Delete the key of a patient, and of those who were merged into them: nobody can read who they were.

    Whatever else there is of them stays, so that counts do.

    Raises:
        MergedInto: what is known of them lies under another's key.
        PatientErased: they were erased already.
    """
    lock_patients(patient.lab_id)
    patient.refresh_from_db(fields=["merged_into", "erased_at"])  # as it is under the lock
    if patient.merged_into_id:
        raise MergedInto(patient.merged_into_id)
    if patient.erased_at:
        raise PatientErased
    same = patients().filter(Q(id=patient.id) | Q(merged_into=patient.id))
    PatientKey.objects.filter(patient__in=same).delete()
    same.update(erased_at=timezone.now())


def _take_over_mrn(patient: Patient, mrn: str) -> None:
    """An MRN is one person's: where somebody merged into `patient` has it, they have it no more."""
    hashes = PatientKey._meta.get_field("mrn_hash").hashes(mrn, patient.lab_id)
    for merged in patients().filter(merged_into=patient, key__mrn_hash__in=hashes):
        correct(merged, {"mrn": ""})
