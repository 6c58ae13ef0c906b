"""Request, analyser's count, priority, times of the lab's clock: what can be is kept, the rest is named."""

import json
import threading
from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django_scopes import scope

from tests.support.german import german
from tests.support.people import person
from webapp.audit.models import Entry
from webapp.cases.models import AnalyserCount, Case, Review, ServiceRequest
from webapp.cases.services import change_identifiers
from webapp.cases.specimen_services import change_specimen, enter_analyser_count
from webapp.labs.permissions import Role

__all__ = ["german"]
pytestmark = pytest.mark.usefixtures("plain_static")


@pytest.fixture
def case(alice):
    return alice.case("A-1")


@pytest.fixture
def vienna(alice):
    alice.lab.time_zone = "Europe/Vienna"
    alice.lab.save()
    return alice.lab


def patch(someone, path, body):
    return someone.api.generic("PATCH", f"/api/v1{path}", json.dumps(body), content_type="application/json")


def count(someone, case, body):
    return patch(someone, f"/cases/{case.id}/analyser-count/", body)


def enter(someone, case, **sent):
    return someone.browser.post(f"/cases/{case.id}/specimen/", sent, follow=True)


def entries(lab, action):
    return list(Entry.objects.filter(chain=lab.id, action=action).order_by("seq"))


# --- the analyser's count


def test_the_api_takes_and_gives_the_analysers_count(alice, case):
    path = f"/cases/{case.id}/analyser-count/"
    nothing = {"wbc": None, "wbc_is_corrected": None, "haemoglobin": None, "platelets": None}
    assert alice.api.read(path).json() == {**nothing, "entered_by": None, "entered_at": None}
    given = {"wbc": "7.2", "wbc_is_corrected": False, "haemoglobin": "142", "platelets": "0"}
    answer = count(alice, case, given).json()
    assert {name: answer[name] for name in given} == given
    assert answer["entered_by"] == "Alice"
    assert answer["entered_at"]
    assert count(alice, case, {"haemoglobin": 139.5}).json()["wbc"] == "7.2"
    (_first, second) = entries(alice.lab, "case.analyser_count_changed")
    assert second.after == {"fields": "Haemoglobin (g/L)"}
    assert "139" not in str(vars(second))
    assert count(alice, case, nothing).json()["entered_by"] is None
    with scope(lab=alice.lab):
        assert not AnalyserCount.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"wbc": "0"}, "wbc"),
        ({"wbc": 10**6}, "wbc"),
        ({"wbc": "7,2"}, "wbc"),
        ({"wbc": "seven"}, "wbc"),
        ({"wbc": "NaN"}, "wbc"),
        ({"wbc": "7.23456"}, "wbc"),
        ({"wbc": True}, "wbc"),
        ({"wbc": [7]}, "wbc"),
        ({"haemoglobin": "-1"}, "haemoglobin"),
        ({"platelets": 150_000}, "platelets"),
        ({"wbc_is_corrected": "perhaps"}, "wbc_is_corrected"),
        ({"wbc_is_corrected": True}, "wbc"),
    ],
    ids=str,
)
def test_the_api_names_what_an_analyser_cannot_have_counted(alice, case, wrong, field):
    answer = count(alice, case, wrong)
    assert answer.status_code == 400
    assert answer.json()["error"]["fields"][field]
    with scope(lab=alice.lab):
        assert not AnalyserCount.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [{"wbc": 0}, {"wbc": 1001}, {"haemoglobin": 301}, {"platelets": -1}, {"wbc_is_corrected": True}],
    ids=str,
)
def test_the_database_holds_the_limits_too(alice, case, wrong):
    with scope(lab=alice.lab), pytest.raises(IntegrityError), transaction.atomic():
        AnalyserCount.objects.create(case=case, lab=alice.lab, entered_by=alice.membership.user, **wrong)


def test_a_wbc_that_is_taken_back_takes_with_it_whether_it_was_corrected(alice, case):
    count(alice, case, {"wbc": "7.2", "wbc_is_corrected": True, "platelets": "200"})
    assert count(alice, case, {"wbc": None}).json()["wbc_is_corrected"] is None


def test_pages_enter_and_show_the_request_and_the_count(alice, case, vienna):
    shown = enter(
        alice,
        case,
        requester="Dr Adler",
        clinical_question="Relapse?",
        wbc="7.2",
        wbc_is_corrected="no",
        haemoglobin="142",
        platelets="210",
    ).content.decode()
    for text in ("Dr Adler", "Relapse?", "7.2 × 10⁹/L", "erythroblasts not taken off", "142 g/L", "by Alice"):
        assert text in shown
    page = alice.browser.get(f"/cases/{case.id}/specimen/").content.decode()
    assert "Europe/Vienna" in page
    assert 'value="7.2"' in page


def test_a_lab_writes_its_decimals_as_its_language_does(alice, case, german):
    alice.lab.language = "de"
    alice.lab.save()
    assert enter(alice, case, wbc="7,2").status_code == 200
    with scope(lab=alice.lab):
        assert AnalyserCount.objects.get().wbc == Decimal("7.2")
    assert 'value="7,2"' in alice.browser.get(f"/cases/{case.id}/specimen/").content.decode()
    assert enter(alice, case, wbc="7.200").status_code == 422


def test_nothing_of_a_sheet_is_kept_where_a_part_of_it_is_wrong(alice, case):
    answer = enter(alice, case, requester="Dr Adler", wbc="7,2")
    assert answer.status_code == 422
    assert "no comma" in answer.content.decode()
    with scope(lab=alice.lab):
        assert not ServiceRequest.objects.exists()
        assert not AnalyserCount.objects.exists()


def test_a_haemoglobin_in_another_unit_is_asked_about(alice, case):
    assert "very low for one in g/L" in enter(alice, case, haemoglobin="14.2").content.decode()


# --- two who enter at once


def test_what_another_entered_while_the_page_was_open_is_kept_or_named(alice, case):
    """The second saw an empty page: what they do not change stays, what both changed is theirs, and named."""
    empty = {"initial-wbc": "", "initial-platelets": "", "initial-material": "", "initial-comment": ""}
    enter(alice, case, **empty, wbc="7.2", platelets="200", material="blood", comment="Clotted")
    shown = enter(alice, case, **empty, wbc="8.1", platelets="", material="marrow", comment="")
    said = shown.content.decode()
    assert "yours took its place: Material, WBC (10⁹/L)." in said
    with scope(lab=alice.lab):
        known = AnalyserCount.objects.get()
        assert (known.wbc, known.platelets) == (Decimal("8.1"), Decimal(200))
        specimen = Case.objects.get(id=case.id).specimen
        assert (specimen.material, specimen.comment) == ("marrow", "Clotted")


def test_who_saw_what_was_there_is_told_nothing(alice, case):
    enter(alice, case, wbc="7.2")
    shown = enter(alice, case, **{"initial-wbc": "7.2"}, wbc="8.1")
    assert "took its place" not in shown.content.decode()


@pytest.mark.django_db(transaction=True)
def test_two_at_once_leave_the_last_and_two_entries_on_record(alice, case):
    start = threading.Barrier(2)

    def enter_one(wbc):
        with scope(lab=alice.lab):
            start.wait()
            enter_analyser_count(case, {"wbc": Decimal(wbc)}, by=alice.membership.user)
        connection.close()

    threads = [threading.Thread(target=enter_one, args=(wbc,)) for wbc in (7, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with scope(lab=alice.lab):
        assert AnalyserCount.objects.get().wbc in (7, 8)
    assert len(entries(alice.lab, "case.analyser_count_changed")) == 2


# --- signed


@pytest.mark.parametrize("review", [Review.SIGNED, Review.VOID])
def test_what_a_result_was_made_of_stays(alice, case, review):
    Case._base_manager.filter(id=case.id).update(review=review)
    answer = count(alice, case, {"wbc": "7.2"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "review_over")
    assert patch(alice, f"/cases/{case.id}/specimen/", {"material": "blood"}).status_code == 409
    shown = enter(alice, case, material="blood")
    assert shown.status_code == 409
    assert "Amend it" in shown.content.decode()


# --- born before


def born(someone, case, day):
    with scope(lab=someone.lab):
        change_identifiers(case, {"birth_date": day, "mrn": "77"})


def test_a_specimen_from_before_the_birth_is_invalid_on_both_entries(alice, case, vienna):
    born(alice, case, date(2026, 11, 20))
    path = f"/cases/{case.id}/specimen/"
    for wrong in ({"collected_at": "2026-11-19T22:59:00Z"}, {"received_at": "2026-11-01T08:00:00Z"}):
        answer = patch(alice, path, wrong)
        assert answer.status_code == 400
        assert answer.json()["error"]["fields"].keys() == wrong.keys()
    # In Vienna it is the day of the birth.
    assert patch(alice, path, {"collected_at": "2026-11-19T23:00:00Z"}).status_code == 200
    page = enter(alice, case, collected_at="2026-11-19T23:59")
    assert page.status_code == 422
    assert "after the patient’s birth" in page.content.decode()

    later = {"birth_date": "2026-11-21"}
    answer = patch(alice, f"/cases/{case.id}/patient/", later)
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["birth_date"])
    page = alice.browser.post(f"/cases/{case.id}/patient/", {**later, "mrn": "77"})
    assert page.status_code == 422
    assert alice.api.read(f"/cases/{case.id}/patient/").json()["birth_date"] == "2026-11-20"


def test_all_cases_of_a_patient_are_asked(alice, case):
    born(alice, case, None)
    other = alice.case("A-2")
    with scope(lab=alice.lab):
        change_identifiers(other, {"mrn": "77"})
    patch(alice, f"/cases/{other.id}/specimen/", {"collected_at": "2020-01-01T08:00:00Z"})
    assert patch(alice, f"/cases/{case.id}/patient/", {"birth_date": "2021-01-01"}).status_code == 400


def test_a_case_is_not_made_that_of_somebody_who_was_not_born(alice, case):
    born(alice, case, date(2026, 1, 1))
    other = alice.case("A-2")
    patch(alice, f"/cases/{other.id}/specimen/", {"collected_at": "2020-01-01T08:00:00Z"})
    assert patch(alice, f"/cases/{other.id}/patient/", {"mrn": "77"}).status_code == 400
    patch(alice, f"/cases/{other.id}/patient/", {"mrn": "78"})
    merged = alice.api.send(f"/cases/{case.id}/patient/merge/", {"accession": "A-2"})
    assert merged.status_code == 400
    case.refresh_from_db()
    other.refresh_from_db()
    sent = {"accession": "A-2", "shown": f"{case.patient_id} {other.patient_id}"}
    assert alice.browser.post(f"/cases/{case.id}/patient/merge/", sent).status_code == 409


def test_that_a_birth_date_was_told_of_is_on_record(alice, case):
    """Who may not see patients could find the day by trying."""
    born(alice, case, date(2026, 11, 20))
    admin = person(alice.lab, "Ann", Role.ADMIN)
    answer = patch(admin, f"/cases/{case.id}/specimen/", {"collected_at": "2026-01-01T08:00:00Z"})
    assert answer.status_code == 400
    entry = entries(alice.lab, "case.identifiers_shown")[-1]
    assert entry.actor_id == admin.membership.user_id


# --- the lab's clock


def test_a_time_that_the_clock_showed_twice_must_be_said_which(alice, case, vienna):
    asked = enter(alice, case, collected_at="2026-10-25T02:30")
    assert asked.status_code == 422
    body = asked.content.decode()
    assert "Say which of the two it is" in body
    assert "02:30 CEST" in body
    assert "02:30 CET" in body
    shown = enter(alice, case, collected_at="2026-10-25T02:30", collected_at_offset="+01:00")
    assert "25 Oct 2026, 02:30 CET" in shown.content.decode()
    assert alice.api.read(f"/cases/{case.id}/specimen/").json()["collected_at"] == "2026-10-25T02:30:00+01:00"
    page = alice.browser.get(f"/cases/{case.id}/specimen/").content.decode()
    assert '<option value="+01:00" selected>' in page
    again = enter(
        alice,
        case,
        **{"initial-collected_at": "2026-10-25T02:30+01:00"},
        collected_at="2026-10-25T02:30",
        collected_at_offset="+02:00",
    )
    assert "02:30 CEST" in again.content.decode()


def test_a_time_that_the_clock_passed_over_is_invalid(alice, case, vienna):
    asked = enter(alice, case, collected_at="2026-03-29T02:30")
    assert asked.status_code == 422
    assert "passed over this time" in asked.content.decode()
    assert (
        patch(alice, f"/cases/{case.id}/specimen/", {"collected_at": "2026-03-29T02:30"}).status_code == 400
    )
    assert (
        patch(alice, f"/cases/{case.id}/specimen/", {"collected_at": "2026-10-25T02:30"}).status_code == 400
    )


def test_seconds_that_came_by_the_api_stay_where_the_page_changes_nothing(alice, case, vienna):
    path = f"/cases/{case.id}/specimen/"
    patch(alice, path, {"collected_at": "2026-11-20T08:30:15Z"})
    page = alice.browser.get(path).content.decode()
    assert 'value="2026-11-20T09:30"' in page
    assert 'value="2026-11-20T09:30+01:00"' in page
    enter(
        alice,
        case,
        **{"initial-collected_at": "2026-11-20T09:30+01:00"},
        collected_at="2026-11-20T09:30",
        material="blood",
    )
    assert alice.api.read(path).json()["collected_at"] == "2026-11-20T09:30:15+01:00"


# --- priority


def test_priority_by_api_and_page(alice, case):
    assert alice.api.read(f"/cases/{case.id}/").json()["priority"] == "routine"
    answer = patch(alice, f"/cases/{case.id}/", {"priority": "stat"})
    assert answer.json()["priority"] == "stat"
    assert patch(alice, f"/cases/{case.id}/", {"priority": "at once"}).status_code == 400
    assert [one["accession"] for one in alice.api.read("/cases/", priority="stat").json()["results"]] == [
        "A-1"
    ]
    assert not alice.api.read("/cases/", priority="urgent").json()["results"]
    assert "Stat</span>" in alice.browser.get("/worklist/").content.decode()
    shown = enter(alice, case, **{"initial-priority": "2"}, priority="1")
    assert "Urgent</span>" in shown.content.decode()
    changed = entries(alice.lab, "case.priority_changed")
    assert [(entry.before["priority"], entry.after["priority"]) for entry in changed] == [
        ("Routine", "Stat"),
        ("Stat", "Urgent"),
    ]


def test_a_case_may_be_opened_with_its_priority(alice):
    assert (
        alice.api.send("/cases/", {"accession": "A-2", "priority": "urgent"}).json()["priority"] == "urgent"
    )
    made = alice.browser.post(reverse("ui:new-case"), {"accession": "A-3", "priority": "2"}, follow=True)
    assert "Stat</span>" in made.content.decode()
    assert (
        alice.browser.post(reverse("ui:new-case"), {"accession": "A-4", "priority": "9"}).status_code == 422
    )


# --- erased


def test_texts_of_the_request_go_with_the_patient(alice, case):
    with scope(lab=alice.lab):
        change_identifiers(case, {"name": "Somebody"})
        change_specimen(case, {"requester": "Dr Adler", "clinical_question": "Relapse?"})
        row = ServiceRequest.objects.get()
        assert row.requester == "Dr Adler"
        assert b"Adler" not in bytes(ServiceRequest.objects.values_list("requester", flat=True).get())
