"""Patient identifiers in the database: what lies there, who finds what, and what tampering does."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import FieldError
from django.db import connection
from django_scopes import scope
from psycopg import sql

from webapp.cases import selectors
from webapp.cases.identifiers import FIELDS, Identifiers
from webapp.cases.models import Case, ClinicalNotes
from webapp.cases.services import change_identifiers, create_case
from webapp.crypto.keyring import keyring
from webapp.patients.identifiers import FIELDS as OF_THE_PERSON
from webapp.patients.models import Patient

ADA: dict[str, Any] = {
    "name": "Ada Lovelace",
    "mrn": "MRN 00-42",
    "birth_date": date(1915, 12, 10),
    "sex": "female",
    "notes": "Known to the ward.\nSecond smear.",
}


@pytest.fixture
def case(alice):
    with scope(lab=alice.lab):
        yield create_case(alice.lab, accession="A-1", by=alice.membership.user, identifiers=ADA)


def on_disk(case) -> dict[str, bytes]:
    """What lies in the database of a case's patient: the notes of the case, and the key with the rest."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.*, k.key, k.mrn_hash, n.text AS notes FROM cases_case AS c"
            " JOIN patients_patient AS p ON p.id = c.patient_id"
            " LEFT JOIN patients_patientkey AS k ON k.patient_id = p.id"
            " LEFT JOIN cases_clinicalnotes AS n ON n.case_id = c.id WHERE c.id = %s",
            [case.id],
        )
        return dict(zip([column.name for column in cursor.description], cursor.fetchone(), strict=True))


def write(case, column, value) -> None:
    table, key, row, column = {
        "key": ("patients_patientkey", "patient_id", patient_id(case), "key"),
        "notes": ("cases_clinicalnotes", "case_id", case.id, "text"),
    }.get(column, ("patients_patient", "id", patient_id(case), column))
    update = sql.SQL("UPDATE {} SET {} = %s WHERE {} = %s")
    with connection.cursor() as cursor:
        cursor.execute(update.format(*map(sql.Identifier, (table, column, key))), [value, row])


def patient_id(case) -> UUID | None:
    return Case._base_manager.get(id=case.id).patient_id


def known_of(case) -> Identifiers:
    return selectors.identifiers_of([case])[case.id]


def entered(case) -> Identifiers:
    return Identifiers(**ADA, patient=patient_id(case))


def test_what_was_entered_comes_back(case):
    assert known_of(case) == entered(case)


def test_the_database_holds_nothing_legible(case):
    row = b"\n".join(
        bytes(value) for value in on_disk(case).values() if isinstance(value, bytes | memoryview)
    )
    for secret in (b"Ada", b"Lovelace", b"00-42", b"1915-12", b"female", b"ward"):
        assert secret not in row


@pytest.mark.parametrize("sex", ["", "male", "female", "other", "unknown"])
def test_no_value_is_known_by_its_length(case, sex):
    known = {len(on_disk(case)[name]) for name in FIELDS}
    assert len(known) == 1
    for others in ({}, {"name": "Bo", "mrn": "7", "birth_date": None, "notes": "Pale."}):
        change_identifiers(case, {**others, "sex": sex})
        assert {len(on_disk(case)[name]) for name in FIELDS} == known


def test_a_case_without_identifiers_has_no_row(alice):
    case = alice.case()
    with scope(lab=alice.lab):
        assert not Patient.objects.exists()
        assert not selectors.identifiers_of([case])[case.id]


def test_a_key_is_nobodys_but_the_patients(alice, case):
    other = create_case(alice.lab, accession="A-2", by=alice.membership.user, identifiers={"name": "Bo"})
    write(other, "key", on_disk(case)["key"])
    assert known_of(other).unreadable == ("name", "mrn", "birth_date", "sex")
    assert known_of(case) == entered(case)


def test_notes_of_a_case_without_a_patient_lie_under_the_labs_key(alice, case):
    case = create_case(alice.lab, accession="A-3", by=alice.membership.user, identifiers={"notes": "Pale."})
    assert known_of(case).patient is None
    assert known_of(case).notes == "Pale."
    lain = ClinicalNotes.objects.get(case=case).__dict__["text"].key_id
    change_identifiers(case, {"name": "Bo"})
    assert (known_of(case).name, known_of(case).notes) == ("Bo", "Pale.")
    now = ClinicalNotes.objects.get(case=case).__dict__["text"].key_id
    assert lain == keyring().current.id
    assert now == f"own:{known_of(case).patient}"


def test_only_what_is_named_changes(case):
    before = on_disk(case)
    change_identifiers(case, {"name": "Ada King"})
    after = on_disk(case)
    assert {name for name in before if before[name] != after[name]} == {"name"}
    assert selectors.identifiers_of([case])[case.id].name == "Ada King"


@pytest.mark.parametrize("asked", ["MRN 00-42", "mrn0042", " mrn 0042 ", "MRN\u201100\u201142"])
def test_a_patient_is_found_by_exactly_their_mrn(alice, case, asked):
    assert list(selectors.cases_of_patient(alice.lab.id, asked)) == [case]


@pytest.mark.parametrize("asked", ["", "-", "MRN 004", "MRN 00421", "%", "Ada Lovelace"])
def test_and_by_nothing_else(alice, case, asked):
    assert not selectors.cases_of_patient(alice.lab.id, asked)


def test_another_lab_finds_nothing(charlie, case):
    with scope(lab=charlie.lab):
        assert not selectors.cases_of_patient(charlie.lab.id, "MRN 00-42")


def test_a_value_copied_to_another_patient_is_unreadable_there(alice, case):
    other = create_case(alice.lab, accession="A-2", by=alice.membership.user, identifiers={"name": "Bo"})
    write(other, "name", on_disk(case)["name"])
    assert selectors.identifiers_of([other])[other.id].unreadable == ("name",)


def test_a_value_copied_to_another_column_is_unreadable(case):
    write(case, "notes", on_disk(case)["name"])
    assert selectors.identifiers_of([case])[case.id].unreadable == ("notes",)


def test_an_altered_value_is_reported_and_the_rest_stays_legible(case, caplog):
    altered = bytearray(on_disk(case)["birth_date"])
    altered[-1] ^= 1
    write(case, "birth_date", bytes(altered))
    found = selectors.identifiers_of([case])[case.id]
    assert (found.name, found.birth_date, found.unreadable) == ("Ada Lovelace", None, ("birth_date",))
    assert "encrypted value unreadable" in caplog.text
    assert str(patient_id(case)) in caplog.text


def test_no_value_can_be_blanked(case):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name IN ('patients_patient', 'patients_patientkey', 'cases_clinicalnotes')"
            " AND is_nullable = 'YES'"
        )
        assert {name for (name,) in cursor.fetchall()} == {"mrn_hash", "merged_into_id", "erased_at"}
    write(case, "name", b"")
    assert selectors.identifiers_of([case])[case.id].unreadable == ("name",)


@pytest.mark.parametrize("name", OF_THE_PERSON)
def test_nothing_encrypted_can_be_looked_up_or_written_in_the_clear(case, name):
    with pytest.raises(FieldError):
        list(Patient.objects.filter(**{name: "Ada Lovelace"}))
    with pytest.raises(TypeError, match="encrypted"):
        Patient.objects.update(**{name: "Ada Lovelace"})


def test_identifiers_have_no_face(case):
    patient = Patient.objects.get(cases=case)
    for shown in (repr(patient), str(patient), repr(selectors.identifiers_of([case])[case.id])):
        assert "Ada" not in shown
