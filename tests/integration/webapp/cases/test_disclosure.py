"""Who was shown a case, or the identifiers of patients, is on record, but not again and again."""

import time

import pytest
from django_scopes import scope

from tests.support.people import person
from tests.support.present import present
from webapp.audit import folding
from webapp.audit.models import Entry
from webapp.audit.selectors import Filters, entries
from webapp.cases.services import create_case
from webapp.labs.permissions import Role

pytestmark = pytest.mark.usefixtures("fresh_rates")


def test_opening_a_case_is_recorded_once_an_hour(alice, lab):
    case = alice.case("H-1")
    for _ in range(3):
        alice.api.read(f"/cases/{case.id}/images/")
    (entry,) = Entry.objects.filter(chain=lab.id, action="case.opened")
    assert entry.sentence == "Alice opened case H-1"
    assert entry.subject_id == f"case {case.id}"


@pytest.fixture
def three_patients(alice, lab):
    with scope(lab=lab):
        return [
            create_case(
                lab, accession=f"P-{n}", by=alice.membership.user, identifiers={"name": f"Patient {n}"}
            )
            for n in range(3)
        ]


def shown(lab) -> list[Entry]:
    return list(Entry.objects.filter(chain=lab.id, action="case.identifiers_shown").order_by("seq"))


def test_seeing_a_list_is_recorded_once_an_hour_and_names_every_case(alice, lab, three_patients):
    for _ in range(3):
        alice.browser.get("/worklist/")
    (entry,) = shown(lab)
    assert entry.sentence == "Alice saw the identifiers of 3 cases"
    assert present(entry.after)["ids"] == [str(case.id) for case in three_patients]
    assert present(entry.after)["accessions"] == ["P-0", "P-1", "P-2"]


def test_the_next_page_within_the_hour_is_recorded_with_the_cases_that_are_new(alice, lab, three_patients):
    first = alice.api.read("/cases/", page_size="2").json()
    alice.api.get(first["next"])
    alice.api.read("/cases/", page_size="3")
    assert [present(entry.after)["accessions"] for entry in shown(lab)] == [["P-2", "P-1"], ["P-0"]]
    assert [entry.sentence for entry in shown(lab)][1] == "Alice saw the identifiers of 1 case"


def test_each_person_and_token_is_recorded(alice, lab, three_patients):
    alice.browser.get("/worklist/")
    alice.api.read("/cases/")
    person(lab, "Ann", Role.PATHOLOGIST).browser.get("/worklist/")
    assert [(entry.actor_name, bool(entry.token)) for entry in shown(lab)] == [
        ("Alice", False),
        ("Alice", True),
        ("Ann", False),
    ]


def test_an_hour_later_it_is_recorded_again(alice, lab, three_patients, settings):
    settings.AUDIT_READINGS_SECONDS = 1
    alice.browser.get("/worklist/")
    time.sleep(1.1)
    alice.browser.get("/worklist/")
    assert len(shown(lab)) == 2


def test_without_the_cache_every_list_is_recorded(alice, lab, three_patients, settings):
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0", "OPTIONS": {}}
    }
    for _ in range(2):
        assert alice.browser.get("/worklist/").status_code == 200
    assert [present(entry.after)["cases"] for entry in shown(lab)] == [3, 3]


def test_cases_without_identifiers_are_not_said_to_have_been_seen(alice, lab, three_patients):
    alice.case("Q-1")
    alice.browser.get("/worklist/")
    (entry,) = shown(lab)
    assert "Q-1" not in present(entry.after)["accessions"]


def test_roles_that_see_no_identifiers_leave_no_such_entry(alice, lab, three_patients):
    person(lab, "Ada", Role.ADMIN).browser.get("/worklist/")
    assert shown(lab) == []


@pytest.mark.parametrize("asked", ["P-1", "case {id}", "{id}"])
def test_who_saw_a_patient_is_found_by_the_case(alice, lab, three_patients, asked):
    alice.browser.get("/worklist/")
    subject = asked.format(id=three_patients[1].id)
    found = entries(lab.id, Filters(subject=subject, action="case.identifiers_shown"))
    assert [entry.sentence for entry in found] == ["Alice saw the identifiers of 3 cases"]
    assert not entries(lab.id, Filters(subject="P-9", action="case.identifiers_shown"))


def test_a_reading_that_could_not_be_recorded_is_recorded_next_time(alice, lab, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError

    case = alice.case()
    with monkeypatch.context() as broken:
        broken.setattr(folding, "record", fail)
        with pytest.raises(RuntimeError):
            alice.api.read(f"/cases/{case.id}/")
    alice.api.read(f"/cases/{case.id}/")
    assert Entry.objects.filter(chain=lab.id, action="case.opened").count() == 1
