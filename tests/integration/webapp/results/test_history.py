"""Earlier signed results beside a case: which count, what changed since, and who may see them."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_scopes import scope

from tests.support.pages import add_cells, cell_of
from tests.support.people import person
from tests.support.present import present
from tests.support.results import PATIENT, now, signed
from tests.support.review import decide
from webapp.audit.actions import Action
from webapp.audit.models import Entry
from webapp.cases.models import AnalyserCount
from webapp.cases.services import change_identifiers, merge, split
from webapp.cases.specimen_services import change_specimen
from webapp.labs.permissions import Role
from webapp.patients.services import erase
from webapp.results import delta_limits, history
from webapp.results.amending import amend, void
from webapp.results.models import Result
from webapp.review.models import Reading
from webapp.review.services import open_reading

pytestmark = pytest.mark.usefixtures("plain_static", "in_scope")
FIRST_DAY = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def in_scope(lab):
    with scope(lab=lab):
        yield


@pytest.fixture
def day(pat):
    """A signed case of the patient whose specimen was taken so many days after the first."""

    def make(days: int, counts: dict[str, int], *, wbc: str = "", mrn: str = "4711", sign: bool = True):
        case = a_case(pat, f"D-{days}-{mrn}", days, counts, wbc=wbc, mrn=mrn)
        if sign:
            signed(case, pat)
        return now(case)

    return make


def a_case(pat, accession, days, counts, *, wbc="", mrn="4711"):
    case = pat.case(accession)
    change_identifiers(case, {**PATIENT, "mrn": mrn})
    change_specimen(case, {"collected_at": FIRST_DAY + timedelta(days=days)})
    if wbc:
        AnalyserCount.objects.create(
            case=case, lab=case.lab, wbc=Decimal(wbc), wbc_is_corrected=True, entered_by=pat.membership.user
        )
    user = pat.membership.user
    reading = open_reading(case, Reading.Kind.FIRST, reader=user)
    for cell_class, n in counts.items():
        images = add_cells(pat, case, cell_class, *(0.9 for _ in range(n)))
        decide(reading, [cell_of(image).id for image in images], cell_class, by=user)
    return now(case)


def accessions(found):
    return [one.accession for one in found.earlier]


def row(found, code):
    return next(one for one in found.rows if one.code == code)


def limit(pat, **values):
    given: dict[str, Any] = {
        "cell_class": "neutrophil",
        "quantity": "percent",
        "change": Decimal(20),
        "is_relative": False,
    }
    made = delta_limits.propose(pat.lab, by=pat.membership.user, **given | {"days": 30} | values)
    delta_limits.approve(made, by=pat.membership.user)
    return made


def test_earlier_results_stand_in_order_with_the_numbers_that_were_signed(pat, day):
    day(5, {"neutrophil": 3, "lymphocyte": 1})
    day(1, {"neutrophil": 1, "lymphocyte": 3}, wbc="8")
    day(9, {"neutrophil": 4})  # later than the case, so none of its past
    case = day(7, {"neutrophil": 1, "lymphocyte": 1}, sign=False)
    found = history.of_case(case, pat.membership.user)
    assert accessions(found) == ["D-1-4711", "D-5-4711"]
    assert (found.has_now, found.columns[-1].result) == (True, None)
    neutrophils = row(found, "neutrophil")
    assert [present(value).percent for value in neutrophils.values] == [
        Decimal("25.00"),
        Decimal("75.00"),
        Decimal("50.00"),
    ]
    assert [present(value).absolute for value in neutrophils.values] == [Decimal("2.00"), None, None]
    assert [one.wbc for one in found.columns] == [Decimal("8.00"), None, None]


def test_the_numbers_are_the_documents_whatever_became_of_the_case_since(pat, day):
    day(1, {"neutrophil": 1, "lymphocyte": 1})
    earlier = Result.objects.get()
    amend(now(earlier.case), pat.membership, version=1, reason="One more look.")
    reading = Reading.objects.select_related("case__lab", "lab").get(case=earlier.case)
    cells = add_cells(pat, earlier.case, "blast", 0.9, 0.9)
    decide(reading, [cell_of(image).id for image in cells], "blast", by=pat.membership.user)
    case = day(2, {"neutrophil": 1}, sign=False)
    found = history.of_case(case, pat.membership.user)
    assert found.earlier[0].is_being_amended  # it holds until the next is signed
    assert present(row(found, "neutrophil").values[0]).percent == Decimal("50.00")
    assert all(one.code != "blast" for one in found.rows)


def test_of_each_case_the_version_that_holds_counts_and_no_void_one(pat, day):
    amended, voided = day(1, {"neutrophil": 2}), day(2, {"neutrophil": 2})
    amend(amended, pat.membership, version=1, reason="One cell more.")
    image = add_cells(pat, amended, "monocyte", 0.9)[0]
    reading = Reading.objects.select_related("case__lab", "lab").get(case=amended)
    decide(reading, [cell_of(image).id], "monocyte", by=pat.membership.user)
    signed(amended, pat)
    void(voided, pat.membership, version=1, reason="Another patient's.")
    case = day(3, {"neutrophil": 1}, sign=False)
    found = history.of_case(case, pat.membership.user)
    assert [(one.accession, one.version) for one in found.earlier] == [("D-1-4711", 2)]


def test_merged_patients_count_as_one_and_parted_ones_not(pat, day):
    other = day(1, {"neutrophil": 1}, mrn="9999")
    case = day(2, {"neutrophil": 1}, sign=False)
    assert accessions(history.of_case(case, pat.membership.user)) == []
    merge(case, other)
    assert accessions(history.of_case(now(case), pat.membership.user)) == ["D-1-9999"]
    split(now(case))
    assert accessions(history.of_case(now(case), pat.membership.user)) == []


def test_a_change_is_marked_by_approved_limits_alone(pat, day):
    day(1, {"neutrophil": 3, "lymphocyte": 1})
    case = day(11, {"neutrophil": 2, "lymphocyte": 2}, sign=False)

    def marked():
        changes = row(history.of_case(case, pat.membership.user), "neutrophil").changes
        return [one.marked for one in changes]

    assert marked() == [()]  # 75 to 50 %, and no absolute value
    limits = [
        limit(pat, change=Decimal(25), days=10),
        limit(pat, change=Decimal(33), days=10, is_relative=True),  # 25 of 75 is 33.3 %
    ]
    found = history.of_case(case, pat.membership.user)
    change = row(found, "neutrophil").changes[0]
    assert (change.by, change.percent, set(change.marked)) == (
        Decimal("-25.00"),
        Decimal("-33.33"),
        set(limits),
    )
    assert row(found, "lymphocyte").changes[0].marked == ()
    for one in limits:
        delta_limits.retire(one, by=pat.membership.user)
    assert marked() == [()]
    limit(pat, change=Decimal(1), days=9)  # they are ten days apart
    assert marked() == [()]
    delta_limits.propose(
        pat.lab,
        by=pat.membership.user,
        cell_class="neutrophil",
        quantity="percent",
        change=Decimal(1),
        is_relative=True,
        days=30,
    )
    assert marked() == [()]


def test_what_was_not_told_apart_then_did_not_change(pat, day):
    day(1, {"neutrophil": 4})
    case = day(2, {"segmented_neutrophil": 1, "band_neutrophil": 1}, sign=False)
    found = history.of_case(case, pat.membership.user)
    assert row(found, "segmented_neutrophil").changes == ()
    assert [one.by for one in row(found, "neutrophil").changes] == [
        Decimal("0.00")
    ]  # all of them, then and now


def test_a_document_that_was_altered_is_named_and_not_shown(pat, day):
    day(1, {"neutrophil": 1})
    day(2, {"neutrophil": 1})
    altered = Result.objects.select_related("case__patient__key").order_by("made_at")[0]
    values = altered.values
    values["rows"][0]["count"] = 7
    altered.document = json.dumps(values)
    altered.save(update_fields=["document"])
    case = day(3, {"neutrophil": 1}, sign=False)
    found = history.of_case(case, pat.membership.user)
    assert [one.problem for one in found.earlier] == ["altered", ""]
    assert row(found, "neutrophil").values[0] is None
    assert present(found.last).accession == "D-2-4711"


def test_a_case_that_was_moved_without_its_key_cannot_be_read(pat, day):
    first = day(1, {"neutrophil": 1})
    case = day(2, {"neutrophil": 1}, sign=False)
    other = day(1, {"neutrophil": 1}, mrn="9999", sign=False)
    type(first).objects.filter(id__in=[first.id, case.id]).update(patient=other.patient)
    found = history.of_case(now(case), pat.membership.user)
    assert [one.problem for one in found.earlier] == ["unreadable"]
    assert accessions(history.shown(now(case), pat.membership.user)) == ["D-1-4711"]


def test_it_costs_the_same_however_many_there_are_and_what_is_older_follows(pat, day):
    case = day(40, {"neutrophil": 1}, sign=False)
    day(0, {"neutrophil": 1})

    def queries():
        with CaptureQueriesContext(connection) as captured:
            history.of_case(now(case), pat.membership.user)
        return len(captured)

    one = queries()
    for days in range(1, 10):
        day(days, {"neutrophil": 1})
    assert queries() == one
    found = history.of_case(now(case), pat.membership.user)
    assert accessions(found) == [f"D-{n}-4711" for n in range(2, 10)]
    older = history.of_case(now(case), pat.membership.user, history.Place.read(found.older))
    assert (accessions(older), older.has_now, older.older) == (["D-0-4711", "D-1-4711"], False, "")


def test_a_blinded_reader_sees_other_cases_and_of_this_one_nothing_but_their_own(pat, quinn, day):
    day(1, {"neutrophil": 2})
    case = day(2, {"neutrophil": 1, "monocyte": 1}, sign=False)
    theirs = open_reading(case, Reading.Kind.SECOND, reader=quinn.membership.user, blinded=True)
    found = history.of_case(now(case), quinn.membership.user)
    assert (accessions(found), found.has_now) == (["D-1-4711"], False)
    assert all(one.code != "monocyte" for one in found.rows)
    cell = cell_of(add_cells(quinn, case, "blast", 0.9)[0])
    decide(theirs, [cell.id], "blast", by=quinn.membership.user)
    found = history.of_case(now(case), quinn.membership.user)
    assert {one.code for one in found.rows} == {"neutrophil", "blast"}
    assert row(found, "neutrophil").values[-1].count == 0


def test_of_whom_nothing_is_known_there_is_no_history(pat, day):
    day(1, {"neutrophil": 1})
    case = day(2, {"neutrophil": 1}, sign=False)
    nobodys = pat.case("N-1")
    assert history.of_case(nobodys, pat.membership.user).columns == ()
    erase(case.patient)
    found = history.of_case(now(case), pat.membership.user)
    assert [one.problem for one in found.earlier] == ["unreadable"]


def test_who_saw_it_is_on_record_with_the_cases_that_it_was(pat, day):
    cache.clear()
    earlier = day(1, {"neutrophil": 1})
    case = day(2, {"neutrophil": 1}, sign=False)
    assert pat.api.read(f"/cases/{case.id}/history/").status_code == 200
    entry = Entry.objects.get(action=Action.HISTORY_SHOWN)
    assert entry.after == {"cases": 1, "accessions": ["D-1-4711"], "ids": [str(earlier.id)]}
    assert entry.actor_id == pat.membership.user.pk
    pat.browser.get(f"/cases/{case.id}/history/")
    assert (
        Entry.objects.filter(action=Action.HISTORY_SHOWN).count() <= 2
    )  # once for a token, once for a person


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SUPERVISOR, Role.CLINICIAN])
def test_who_may_not_see_who_the_patient_is_sees_no_history(pat, day, role):
    day(1, {"neutrophil": 1})
    case = day(2, {"neutrophil": 1}, sign=False)
    someone = person(pat.lab, "Robin", role)
    assert someone.api.read(f"/cases/{case.id}/history/").status_code == 403
    assert someone.browser.get(f"/cases/{case.id}/history/").status_code == 403
    page = someone.browser.get(f"/cases/{case.id}/").content.decode()
    assert "Earlier results" not in page


def test_another_labs_case_has_none(pat, charlie, day):
    case = day(1, {"neutrophil": 1})
    outsider = person(charlie.lab, "Out", Role.PATHOLOGIST)
    assert outsider.api.read(f"/cases/{case.id}/history/").status_code == 404


def test_the_api_says_what_the_page_says(pat, day):
    day(1, {"neutrophil": 3, "lymphocyte": 1}, wbc="8")
    case = day(2, {"neutrophil": 1, "lymphocyte": 1}, wbc="10", sign=False)
    limit(pat, change=Decimal(1))
    found = pat.api.read(f"/cases/{case.id}/history/").json()
    assert [one["accession"] for one in found["results"]] == ["D-1-4711", "D-2-4711"]
    neutrophils = next(one for one in found["rows"] if one["class"] == "neutrophil")
    assert [value["percent"] for value in neutrophils["values"]] == ["75.00", "50.00"]
    assert [
        (one["quantity"], one["by"], one["percent"], one["marked"]) for one in neutrophils["changes"]
    ] == [
        ("percent", "-25.00", "-33.33", True),
        ("absolute", "-1.00", "-16.67", False),
    ]
    page = pat.browser.get(f"/cases/{case.id}/history/").content.decode()
    assert "From 6.00 to 5.00 ×10⁹/L in 2 results; lowest 5.00, highest 6.00." in page
    assert "reaches a limit of the lab" in page


@pytest.mark.parametrize("before", ["nowhere", "2026-01-01_x", "2026-01-01T00:00:00_" + "0" * 32])
def test_a_place_that_is_none(pat, day, before):
    case = day(1, {"neutrophil": 1}, sign=False)
    assert pat.api.read(f"/cases/{case.id}/history/", before=before).status_code == 400
    assert pat.browser.get(f"/cases/{case.id}/history/", {"before": before}).status_code == 404


def test_the_workbench_knows_where_earlier_results_are(pat, quinn, day, lab):
    case = day(1, {"neutrophil": 1}, sign=False)
    assert (
        f"/api/v1/cases/{case.id}/history/" in pat.browser.get(f"/cases/{case.id}/review/").content.decode()
    )
    lab.permission_changes = {Role.TECHNICIAN: {"view_identifiers": False, "edit_identifiers": False}}
    lab.save()
    tech = person(lab, "Tina", Role.TECHNICIAN)
    assert "/history/" not in tech.browser.get(f"/cases/{case.id}/review/").content.decode()
