from collections.abc import Iterable, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Min, QuerySet
from django.db.models.functions import Least
from django.utils.translation import gettext as _

from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.cases.closing import check_under_way
from webapp.cases.identifiers import LABELS, Identifiers
from webapp.cases.models import UNDER_WAY, Case, ClinicalNotes, Priority, Processing
from webapp.cases.selectors import cases_of_patient
from webapp.cases.specimens import Specimen
from webapp.crypto.cipher import Unreadable
from webapp.crypto.tables import held_by
from webapp.labs.models import Lab
from webapp.language.sentences import as_written
from webapp.outbox.events import PatientChanged, publish
from webapp.patients import selectors as patient_selectors
from webapp.patients import services as patients
from webapp.patients.identifiers import FIELDS as OF_THE_PERSON
from webapp.patients.identifiers import day_at_most
from webapp.patients.models import Patient

MOST_OF_A_PATIENT = 200
KEY = "patient.key"
JUDGED_BY = frozenset({"birth_date", "sex", "mrn"})
"""What changes of a person by which their counts are judged, an MRN by making a case another person's."""


class AccessionTaken(Exception):
    """The lab has a case with this accession number already."""


class CollectedBeforeBirth(Exception):
    """A specimen of the patient was collected, or came to the lab, before the day of their birth."""

    def __str__(self) -> str:
        return _("A specimen is collected after the patient’s birth. Check the birth date and the times.")


class NotTwoPatients(Exception):
    """There is nothing to merge or to split."""


def create_case(
    lab: Lab,
    *,
    accession: str,
    by: User,
    identifiers: Mapping[str, Any] | None = None,
    priority: Priority = Priority.ROUTINE,
) -> Case:
    """Open a case for one specimen.

    Args:
        identifiers: who the patient is, by the names in `webapp.cases.identifiers.FIELDS`. One whose MRN the
            lab knows is that patient: see `change_identifiers`.

    Returns:
        The case; its `differing` names what was given of the patient and is known otherwise.

    Raises:
        AccessionTaken: the accession number names another case of this lab.
    """
    try:
        with transaction.atomic():
            if identifiers:
                patients.lock_patients(lab.id)
            case = Case.objects.create(lab=lab, accession=accession, created_by=by, priority=priority)
            record(
                Action.CASE_CREATED,
                lab=lab.id,
                subject=case.accession,
                subject_id=f"case {case.id}",
                after={"priority": as_written(case.get_priority_display())} if priority else None,
            )
            case.differing = change_identifiers(case, identifiers or {})
            return case
    except IntegrityError as error:
        text = _("Case %(accession)s exists already. Open it, or choose another accession number.")
        raise AccessionTaken(text % {"accession": accession}) from error


@transaction.atomic
def change_identifiers(case: Case, changes: Mapping[str, Any]) -> tuple[str, ...]:
    """Enter or correct who the patient is.

    What changes of a person changes for all their cases. An MRN that the lab knows as another's makes the
    case that patient's: what is known of them stays, what was not known is written.

    Args:
        changes: new values by the names in `webapp.cases.identifiers.FIELDS`; what is not named stays, even
            where it cannot be read.

    Returns:
        Which of `changes` were not written, because the patient is known otherwise.

    Raises:
        PatientErased: nothing can be entered any more.
        CollectedBeforeBirth: a specimen of theirs is from before the birth date.
        ReviewOver: it would be another patient's, and it is signed or void.
    """
    if not changes:
        return ()
    patients.lock_patients(case.lab_id)
    case = hold(case)
    if case.patient and case.patient.erased_at:
        raise patients.PatientErased
    given = {name: value for name, value in changes.items() if name in OF_THE_PERSON}
    known = patients.known_by(case.lab_id, given.get("mrn", ""))
    written, differing = list(given), list[str]()
    if known and known.id != case.patient_id:
        check_under_way(case.id)
        before = case.patient
        _give([case], known)
        _record(Action.PATIENT_LINKED, case)
        written, differing = patients.complete(known, given)
        if before:
            _forget_if_nobodys(before)
    elif case.patient:
        patients.correct(case.patient, given)
    elif any(given.values()):
        _give([case], patients.enter(case.lab_id, given))
    else:
        written = []
    if given:
        check_born_before(case)
    if "notes" in changes and (changes["notes"] or hasattr(case, "notes")):
        write_notes(case, changes["notes"])
        written.append("notes")
    if case.patient and JUDGED_BY.intersection(written or given):
        _tell_of(case.patient)
    if written:
        _record(Action.IDENTIFIERS_CHANGED, case, fields=_kept_labels(written))
    if differing:
        _record(Action.IDENTIFIERS_KEPT, case, fields=_kept_labels(differing))
    return tuple(differing)


def check_born_before(case: Case) -> None:
    """Raise CollectedBeforeBirth where a specimen of the case's patient is from before their birth.

    The case is held. Days are the lab's; where nobody has said where it is, those furthest east.
    """
    if case.patient is None or case.patient.erased_at:
        return
    times = Specimen.objects.filter(case__patient=case.patient).aggregate(
        first=Least(Min("collected_at"), Min("received_at"))
    )
    if times["first"] is None:
        return
    patient = patient_selectors.patients().get(id=case.patient.id)
    try:
        born = patient.birth_date
    except Unreadable:
        return
    if born and born > day_at_most(times["first"]):
        raise CollectedBeforeBirth


def write_notes(case: Case, text: str) -> None:
    """Write what the ward says. The case is held, and its patient not erased."""
    ClinicalNotes(case=case, lab_id=case.lab_id, text=text).save()


def hold(case: Case) -> Case:
    """The case as it is now, with whose key seals what is said of the patient; so it stays until the
    transaction ends.

    Whoever writes something sealed of a case calls it, or it may come under the key of somebody whose case it
    is no more.
    """
    return _held(Case.objects.filter(id=case.id)).get()


@transaction.atomic
def merge(case: Case, other: Case) -> tuple[str, ...]:
    """Say that the patients of two cases are one person: all cases of `other`'s come to `case`'s.

    What is known of `case`'s patient stays, and what was not known is taken over. Who was merged keeps what
    was known of them, and their MRN finds the person.

    Returns:
        Which identifiers of the two differ.

    Raises:
        NotTwoPatients: one of them has no patient, or it is the same already.
        PatientErased: one of them was erased.
        CollectedBeforeBirth: what is known of one contradicts specimens of the other.
    """
    patients.lock_patients(case.lab_id)
    case.refresh_from_db(fields=["patient"])
    other.refresh_from_db(fields=["patient"])
    if not case.patient_id or not other.patient_id:
        raise NotTwoPatients(_("One of the two cases has no patient yet. Enter who it is first."))
    if case.patient_id == other.patient_id:
        raise NotTwoPatients(_("Both cases are of this patient already."))
    both = patient_selectors.patients().in_bulk([case.patient_id, other.patient_id])
    into, merged = both[case.patient_id], both[other.patient_id]
    differing = patients.merge(into, merged)
    moved = 0
    while cases := list(_held(Case.objects.filter(patient=merged).order_by("id")[:500])):
        _give(cases, into, merged)
        moved += len(cases)
    check_born_before(Case.objects.select_related("patient__key").get(id=case.id))
    _tell_of(into)
    record(
        Action.PATIENTS_MERGED,
        lab=case.lab_id,
        subject=case.accession,
        subject_id=f"case {case.id}",
        before={"patient": str(merged.id)},
        after={"patient": str(into.id), "other": other.accession, "cases": moved},
    )
    return tuple(differing)


@transaction.atomic
def split(case: Case) -> None:
    """Say that a case is of somebody else than the other cases of its patient.

    It goes back to whose it was before patients were merged; else it gets a patient of its own, of whom
    nothing is known yet.

    Raises:
        NotTwoPatients: the patient has no other case.
        PatientErased: nobody knows any more whose it is.
        ReviewOver: the case is signed or void.
    """
    patients.lock_patients(case.lab_id)
    case = hold(case)
    if not case.patient or not Case.objects.filter(patient=case.patient).exclude(id=case.id).exists():
        raise NotTwoPatients(_("The patient has no other case to separate this one from."))
    if case.patient.erased_at:
        raise patients.PatientErased
    check_under_way(case.id)
    own = case.patient_before_id and patient_selectors.patients().filter(id=case.patient_before_id).first()
    before = case.patient
    if own and own.merged_into_id == before.id:
        patients.part(own, before)
    elif not own or own.merged_into_id or own.erased_at:
        own = patients.enter(case.lab_id, {})
    _give([case], own)
    _tell_of(own)
    record(
        Action.PATIENT_SPLIT,
        lab=case.lab_id,
        subject=case.accession,
        subject_id=f"case {case.id}",
        before={"patient": str(before.id)},
        after={"patient": str(own.id)},
    )


@transaction.atomic
def erase(patient: Patient) -> int:
    """Make unreadable for good who a patient is, and all that was written of them.

    On record is the patient's id alone. Returns how many cases they have, which stay.

    Raises:
        MergedInto, PatientErased: as `webapp.patients.services.erase`.
    """
    patients.erase(patient)
    cases = Case.objects.filter(patient=patient).count()
    _tell_of(patient)
    record(
        Action.PATIENT_ERASED, lab=patient.lab_id, subject_id=f"patient {patient.id}", after={"cases": cases}
    )
    return cases


def report_unreadable(case: Case, identifiers: Identifiers) -> None:
    """Keep on record that somebody who opened the case could not be shown some of `identifiers`."""
    if identifiers.unreadable:
        _record(Action.IDENTIFIERS_UNREADABLE, case, fields=_kept_labels(identifiers.unreadable))


def find_patient(lab: Lab, mrn: str) -> list[Case]:
    """The newest `MOST_OF_A_PATIENT` cases of the patient with this MRN; the search is kept on record."""
    found = list(cases_of_patient(lab.id, mrn)[:MOST_OF_A_PATIENT])
    record(Action.PATIENT_SEARCHED, lab=lab.id, after={"cases": len(found)})
    return found


def _held(cases: QuerySet[Case]) -> QuerySet[Case]:
    # Rows that name the case are written meanwhile.
    held = list(cases.select_for_update(no_key=True).values_list("id", flat=True))
    # Asked for only now: whoever waits for a case gets its new row, joined with what was there before.
    return Case.objects.filter(id__in=held).select_related("patient__key")


def _give(cases: list[Case], patient: Patient, before: Patient | None = None) -> None:
    """Make the cases, which are held, the patient's, with all that is written of whom they are of.

    What cannot be read stays as it is.
    """
    rows = list(held_by(cases, KEY))
    Case.objects.filter(id__in=[case.id for case in cases]).update(patient=patient, patient_before=before)
    for case in cases:
        case.patient, case.patient_before = patient, before
    for row in rows:
        row.hand_over("patient", patient)


def _tell_of(patient: Patient) -> None:
    """Have what is judged by the patient's age and sex judged again; nothing is before there are cells."""
    judged = Case.objects.filter(patient=patient, review__in=UNDER_WAY)
    if judged.exclude(processing=Processing.RECEIVING).exists():
        publish(PatientChanged(patient.lab_id, patient.id))


def _forget_if_nobodys(patient: Patient) -> None:
    """Delete a patient whose last case turned out to be somebody else's, so that no one is kept whom nobody
    sees."""
    ours = Case.objects.filter(patient=patient) | Case.objects.filter(patient_before=patient)
    if not ours.exists() and not patient.merged.exists():
        patient.delete()


def _kept_labels(names: Iterable[str]) -> str:
    return as_written(*(LABELS[name] for name in names))


def _record(action: Action, case: Case, **after: str) -> None:
    record(
        action,
        lab=case.lab_id,
        subject=case.accession,
        subject_id=f"case {case.id}",
        after=after or None,
    )
