"""When a case is due: by its lab's turnaround, whoever writes what it follows from."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_scopes import scope

from tests.support.people import person
from webapp.audit.models import Entry
from webapp.cases.models import Case, Priority, Specimen
from webapp.cases.specimen_services import change_specimen
from webapp.labs.models import Lab
from webapp.labs.permissions import Role
from webapp.worklist.turnaround import change_turnaround, mend

HOURS = {"stat": 1, "urgent": 4, "routine": 48}


@pytest.fixture
def case(alice):
    with scope(lab=alice.lab):
        change_turnaround(alice.lab, **HOURS)
        yield alice.case()


def due(case):
    return Case.objects.values_list("due_at", flat=True).get(id=case.id)


def test_without_a_turnaround_nothing_is_due(alice):
    case = alice.case()
    with scope(lab=alice.lab):
        assert due(case) is None
        assert not case.is_overdue


def test_it_is_due_from_its_opening_until_somebody_says_when_the_specimen_came(case):
    assert due(case) == case.created_at + timedelta(hours=48)
    received = timezone.now() - timedelta(hours=10)
    change_specimen(case, {"received_at": received})
    assert due(case) == received + timedelta(hours=48)
    change_specimen(case, {"material": "blood"})
    assert due(case) == received + timedelta(hours=48)
    change_specimen(case, {"received_at": None})
    assert due(case) == case.created_at + timedelta(hours=48)
    change_specimen(case, {"received_at": received})
    Specimen.objects.filter(case=case).delete()
    assert due(case) == case.created_at + timedelta(hours=48)


@pytest.mark.parametrize(("priority", "hours"), [(Priority.STAT, 1), (Priority.URGENT, 4)])
def test_priority_counts_however_it_is_written(case, priority, hours):
    Case.objects.filter(id=case.id).update(priority=priority)
    assert due(case) == case.created_at + timedelta(hours=hours)
    case.priority = Priority.ROUTINE
    case.save()
    assert due(case) == case.created_at + timedelta(hours=48)
    case.due_at = None  # as somebody has it who read the case before
    case.priority = priority
    case.save()
    assert due(case) == case.created_at + timedelta(hours=hours)


def test_a_new_turnaround_holds_for_cases_under_way_and_no_others(alice, case):
    signed = alice.case("A-2")
    Case.objects.filter(id=signed.id).update(review="signed")
    before = due(signed)
    change_turnaround(alice.lab, stat=None, urgent=None, routine=24)
    assert due(case) == case.created_at + timedelta(hours=24)
    assert due(signed) == before
    change_turnaround(alice.lab, stat=1, urgent=1, routine=None)
    assert due(case) is None


def test_it_is_each_lab_s_own(alice, charlie, case):
    other = charlie.case("B-1")
    change_turnaround(alice.lab, stat=1, urgent=1, routine=1)
    with scope(lab=charlie.lab):
        assert due(other) is None


def test_what_was_created_while_a_lab_changed_it_is_mended(alice, case):
    Lab.objects.filter(id=alice.lab.id).update(turnaround_routine=5)
    assert mend() == 1
    assert due(case) == case.created_at + timedelta(hours=5)
    assert mend() == 0


def test_the_settings_page_sets_it_on_record(alice):
    ada = person(alice.lab, "Ada", Role.ADMIN)
    case = alice.case()
    address = "/lab/turnaround/change/"
    page = ada.browser.post(address, {"stat": "1", "urgent": "4", "routine": ""}, follow=True)
    assert page.status_code == 200
    assert 'name="stat" value="1"' in page.content.decode()
    ada.browser.post(address, {"stat": "1", "urgent": "4", "routine": ""})
    entry = Entry.objects.get(chain=alice.lab.id, action="lab.turnaround_set")
    assert entry.after == {"turnaround_stat": 1, "turnaround_urgent": 4, "turnaround_routine": None}
    with scope(lab=alice.lab):
        assert due(case) is None
        Case.objects.filter(id=case.id).update(priority=Priority.STAT)
        assert due(case) == case.created_at + timedelta(hours=1)


@pytest.mark.parametrize("value", ["0", "-1", "8761", "1.5", "1,5", "soon", "99999999999"])
def test_what_is_no_number_of_hours_is_told_beside_the_field(alice, value):
    ada = person(alice.lab, "Ada", Role.ADMIN)
    answer = ada.browser.post("/lab/turnaround/change/", {"stat": value})
    assert answer.status_code == 422
    assert b"id_stat_error" in answer.content
    assert Lab.objects.get(id=alice.lab.id).turnaround_stat is None


def test_the_api_sets_it_and_whoever_sees_cases_reads_it(alice):
    ada = person(alice.lab, "Ada", Role.ADMIN)
    wanted = {"stat": 1, "urgent": None, "routine": 24}

    def put(someone, body):
        return someone.api.put("/api/v1/lab/turnaround/", body, content_type="application/json")

    assert put(ada, wanted).json() == wanted
    assert alice.api.read("/lab/turnaround/").json() == wanted
    assert put(alice, wanted).status_code == 403
    assert put(ada, {"stat": 1}).status_code == 400
    for hours in (0, "1,5", 8761, "soon", -1, True):
        assert put(ada, {**wanted, "stat": hours}).status_code == 400
    with scope(lab=alice.lab):
        case = alice.case()
        assert due(case) == case.created_at + timedelta(hours=24)
