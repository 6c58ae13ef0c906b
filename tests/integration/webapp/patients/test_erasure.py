"""Erasing one person's key leaves nothing of them to be read, and every count as it was."""

from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django_scopes import scope, scopes_disabled
from psycopg import sql

from webapp.audit.models import Entry
from webapp.cases import selectors, services
from webapp.cases.identifiers import Identifiers
from webapp.cases.services import create_case, merge
from webapp.cases.specimen_services import change_specimen
from webapp.crypto import rotation
from webapp.crypto.cipher import unseal
from webapp.patients.models import Patient, PatientKey
from webapp.patients.services import MergedInto, PatientErased

pytestmark = pytest.mark.usefixtures("plain_static")

PLANTED = ("Zephyrine", "Splenectomy", "1931-04-17", "17 Apr 1931", "77012345", "Quillfeather")
ZEPHYRINE = {
    "name": "Zephyrine Quill",
    "mrn": "MRN-77012345",
    "birth_date": date(1931, 4, 17),
    "sex": "other",
    "notes": "Splenectomy after a fall",
}


@pytest.fixture
def case(alice):
    with scope(lab=alice.lab):
        case = create_case(alice.lab, accession="A-1", by=alice.membership.user, identifiers=ZEPHYRINE)
        change_specimen(case, {"ordering_unit": "Ward of Dr Quillfeather"})
        create_case(
            alice.lab, accession="A-2", by=alice.membership.user, identifiers={"mrn": "7", "name": "Bo"}
        )
    return case


def patient_of(case):
    with scopes_disabled():
        return type(case).objects.get(id=case.id).patient


def erase(patient) -> str:
    said = StringIO()
    call_command("erase_patient", f"--patient={patient.id}", stdout=said)
    return said.getvalue()


def test_afterwards_nothing_of_them_is_read_by_page_or_api(alice, case):
    assert "1 case stays" in erase(patient_of(case))
    pages = [
        alice.browser.get("/worklist/"),
        alice.browser.get(f"/cases/{case.id}/"),
        alice.browser.get(f"/cases/{case.id}/patient/"),
        alice.browser.get(f"/cases/{case.id}/specimen/"),
        alice.browser.post("/cases/of-patient/", {"mrn": ZEPHYRINE["mrn"]}),
        alice.api.read("/cases/"),
        alice.api.read(f"/cases/{case.id}/"),
        alice.api.read(f"/cases/{case.id}/specimen/"),
    ]
    for page in pages:
        assert page.status_code == 200
        assert not [word for word in PLANTED if word in page.content.decode()]
    assert "erased" in pages[0].content.decode()
    assert "erased" in pages[1].content.decode()
    assert "unreadable" not in pages[0].content.decode()
    assert "cannot be decrypted" not in pages[1].content.decode()
    assert pages[6].json()["patient"] == {
        "id": str(patient_of(case).id),
        "name": "",
        "mrn": "",
        "birth_date": None,
        "sex": "",
        "notes": "",
        "unreadable": [],
        "kept": [],
        "erased": True,
    }
    assert alice.api.send("/cases/search/", {"mrn": ZEPHYRINE["mrn"]}).json() == []


def test_counts_and_everybody_else_stay(alice, case):
    erase(patient_of(case))
    assert alice.api.read("/cases/").json()["results"][1]["accession"] == "A-1"
    assert alice.api.send("/cases/search/", {"mrn": "7"}).json()[0]["patient"]["name"] == "Bo"
    with scope(lab=alice.lab):
        assert Patient.objects.count() == 2


def test_no_key_that_is_left_opens_what_is_left(alice, case):
    """What the database, and so each backup made from now on, still holds of them."""
    patient = patient_of(case)
    erase(patient)
    with scope(lab=alice.lab):
        assert not PatientKey.objects.filter(patient=patient).exists()
        (other,) = PatientKey.objects.all()
    field = Patient._meta.get_field("name")
    lain = patient.__dict__["name"]
    for own in (None, other.own_key):
        with pytest.raises(Exception, match="cannot be decrypted"):
            unseal(lain, field.place(patient), own)
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(table)))
            held = "\n".join(row for (row,) in cursor.fetchall())
            assert not [word for word in PLANTED if word in held], table


def test_it_is_on_record_without_who_it_was(alice, case):
    patient = patient_of(case)
    erase(patient)
    (entry,) = Entry.objects.filter(chain=alice.lab.id, action="patient.erased")
    assert entry.sentence.endswith("erased a patient of 1 case")
    assert entry.subject_id == f"patient {patient.id}"
    assert not [word for word in PLANTED if word in str(vars(entry))]


def test_nothing_can_be_entered_of_them_and_they_come_back_as_somebody_new(alice, case):
    erase(patient_of(case))
    refused = alice.browser.post(f"/cases/{case.id}/patient/", {"name": "Zephyrine"})
    assert refused.status_code == 409
    made = alice.api.send("/cases/", {"accession": "A-3", "patient": {"mrn": ZEPHYRINE["mrn"]}}).json()
    assert made["patient"]["id"] != str(patient_of(case).id)
    assert made["patient"]["name"] == ""


def test_who_was_merged_into_them_is_erased_with_them(alice, case):
    with scope(lab=alice.lab):
        other = selectors.cases().get(accession="A-2")
        merge(selectors.cases().get(id=case.id), other)
    merged = Patient._base_manager.get(merged_into__isnull=False)
    with pytest.raises(CommandError, match="were merged into"):
        erase(merged)
    erase(patient_of(case))
    with scope(lab=alice.lab):
        assert not PatientKey.objects.exists()
        known = selectors.identifiers_of([other])[other.id]
    assert known == Identifiers(patient=patient_of(case).id, erased=True)


def test_rotation_passes_over_them(alice, case):
    erase(patient_of(case))
    assert rotation.stale_rows() == 0
    assert "" not in rotation.rows_by_key()


def test_nobody_is_erased_twice_or_by_a_wrong_id(case):
    patient = patient_of(case)
    erase(patient)
    with pytest.raises(CommandError, match="already"):
        erase(patient)
    with pytest.raises(CommandError, match="no patient"):
        erase(case)


def test_who_is_merged_before_they_are_erased_is_not_said_to_be(alice, case):
    """What is known of them by then lies under the other's key, and stays."""
    with scope(lab=alice.lab):
        found = patient_of(case)
        other = create_case(
            alice.lab, accession="A-3", by=alice.membership.user, identifiers={"mrn": "8", "name": "Cy"}
        )
        merge(other, case)
        with pytest.raises(MergedInto):  # it was looked at before
            services.erase(found)
        assert PatientKey.objects.filter(patient=found).exists()
        found, again = patient_of(other), patient_of(other)
        services.erase(found)
        with pytest.raises(PatientErased):
            services.erase(again)
