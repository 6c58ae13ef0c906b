"""Which cases are work, in which order, page by page; how many they are."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope

from tests.support.pages import page_of
from tests.support.people import person
from webapp.cases.models import Case, Priority
from webapp.labs.permissions import Role
from webapp.worklist import selectors
from webapp.worklist.filters import FLAGS, SORTS, Wanted
from webapp.worklist.turnaround import change_turnaround

pytestmark = pytest.mark.usefixtures("plain_static")


@pytest.fixture
def paul(lab):
    return person(lab, "Paul", Role.PATHOLOGIST)


@pytest.fixture
def cases(alice, paul):
    """One of each kind, by its accession."""
    now = timezone.now()
    facts: dict[str, dict[str, object]] = {
        "overdue": {"created_at": now - timedelta(hours=50)},
        "stat": {"priority": Priority.STAT, "processing": "done", "flags": ["HH", "A"]},
        "urgent": {"priority": Priority.URGENT, "review": "in_review", "flags": ["L"]},
        "mine": {"assignee": alice.membership.user, "processing": "needs_attention"},
        "pauls": {"assignee": paul.membership.user, "created_at": now - timedelta(hours=30)},
        "signed": {"review": "signed", "created_at": now - timedelta(hours=60), "flags": ["H"]},
        "void": {"review": "void"},
    }
    with scope(lab=alice.lab):
        change_turnaround(alice.lab, stat=1, urgent=8, routine=48)
        for accession, values in facts.items():
            case = alice.case(accession)
            Case.objects.filter(id=case.id).update(**values)
        yield {case.accession: case for case in Case.objects.all()}


def found(alice, **wanted):
    return [case.accession for case in selectors.page(alice.membership, Wanted(**wanted), 50)]


WORK = {"overdue", "stat", "urgent", "mine", "pauls"}
FILTERS = [
    ({}, WORK),
    ({"review": "any"}, {*WORK, "signed", "void"}),
    ({"review": "unfinished"}, WORK),
    ({"review": "open"}, WORK - {"urgent"}),
    ({"review": "in_review"}, {"urgent"}),
    ({"review": "signed"}, {"signed"}),
    ({"processing": "needs_attention"}, {"mine"}),
    ({"priority": "stat"}, {"stat"}),
    ({"priority": "routine"}, {"overdue", "mine", "pauls"}),
    ({"assignee": "me"}, {"mine"}),
    ({"assignee": "nobody"}, {"overdue", "stat", "urgent"}),
    ({"flag": "any"}, {"stat", "urgent"}),
    ({"flag": "HH"}, {"stat"}),
    ({"flag": "H"}, set()),
    ({"flag": "H", "review": "any"}, {"signed"}),
    ({"older_than": "24"}, {"overdue", "pauls"}),
    ({"older_than": "48", "review": "any"}, {"overdue", "signed"}),
    ({"overdue": "1"}, {"overdue"}),
    ({"overdue": "1", "review": "any"}, {"overdue"}),
    ({"overdue": "1", "review": "signed"}, set()),
    ({"assignee": "nobody", "priority": "urgent", "flag": "L"}, {"urgent"}),
]


@pytest.mark.parametrize(("wanted", "expected"), FILTERS, ids=[str(wanted) for wanted, _ in FILTERS])
def test_filters_leave_out_what_they_say_by_service_and_api(alice, cases, wanted, expected):
    assert set(found(alice, **wanted)) == expected
    answer = alice.api.read("/worklist/", **wanted)
    assert {row["accession"] for row in answer.json()["results"]} == expected


def test_somebody_s_cases_are_theirs(alice, paul, cases):
    assert found(alice, assignee=str(paul.membership.user.pk)) == ["pauls"]
    assert found(paul, assignee="me") == ["pauls"]


ORDERS = {
    "due": ["overdue", "stat", "urgent", "pauls", "mine"],
    "priority": ["stat", "urgent", "overdue", "pauls", "mine"],
    "oldest": ["overdue", "pauls", "stat", "urgent", "mine"],
    "newest": ["mine", "urgent", "stat", "pauls", "overdue"],
    "accession": ["mine", "overdue", "pauls", "stat", "urgent"],
}


@pytest.mark.parametrize("sort", SORTS)
def test_each_order(alice, cases, sort):
    assert found(alice, sort=sort) == ORDERS[sort]


@pytest.mark.parametrize("with_times", [True, False], ids=["due", "never due"])
@pytest.mark.parametrize("sort", SORTS)
def test_pages_lose_and_repeat_nothing_even_of_the_same_moment(alice, sort, with_times):
    with scope(lab=alice.lab):
        made = [alice.case(f"A-{n:02}") for n in range(13)]
        Case.objects.update(created_at=made[0].created_at)
        if with_times:  # some are due at the same time, some at none
            change_turnaround(alice.lab, stat=1, urgent=None, routine=2)
            for case in made[::3]:
                Case.objects.filter(id=case.id).update(priority=Priority.STAT)
            for case in made[1::3]:
                Case.objects.filter(id=case.id).update(priority=Priority.URGENT)
        whole, after, seen = found(alice, sort=sort), None, []
        for _ in range(20):
            asked = {"sort": sort, "page_size": "4", **({"after": after} if after else {})}
            answer = alice.api.read("/worklist/", **asked).json()
            seen += [row["accession"] for row in answer["results"]]
            after = answer["next"]
            if after is None:
                break
    assert seen == whole
    assert sorted(seen) == [case.accession for case in made]


def test_the_search_takes_the_beginning_in_any_case_and_any_letter(alice):
    for accession in ("H-26_1", "h-26%2", "X-H-26", "Ä-1"):
        alice.case(accession)

    def search(text):
        rows = alice.api.read("/worklist/", accession=text).json()["results"]
        return {row["accession"] for row in rows}

    assert search("h-2") == {"H-26_1", "h-26%2"}
    assert search("H-26_") == {"H-26_1"}
    assert search("h-26%") == {"h-26%2"}
    assert search("ä") == {"Ä-1"}
    assert search("nothing") == set()


def test_counts_are_of_what_is_work(alice, cases):
    counts = alice.api.read("/worklist/counts/").json()
    assert counts == {
        "unfinished": 5,
        "review": {"open": 4, "in_review": 1, "reviewed": 0},
        "processing": {"receiving": 3, "classifying": 0, "needs_attention": 1, "done": 1},
        "overdue": 1,
        "mine": 1,
        "nobody": 3,
    }


def test_another_lab_s_cases_are_nowhere(alice, charlie, cases):
    assert charlie.api.read("/worklist/", review="any").json() == {"next": None, "results": []}
    assert charlie.api.read("/worklist/counts/").json()["unfinished"] == 0
    assert charlie.api.read("/worklist/", after=str(cases["stat"].id)).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        {"review": "half"},
        {"priority": "3"},
        {"assignee": "somebody"},
        {"assignee": "0"},
        {"assignee": "9" * 19},
        {"older_than": "0"},
        {"older_than": "1,5"},
        {"older_than": "9" * 40},
        {"sort": "name"},
        {"after": "nonsense"},
        {"after": "8230a1fd-98cf-4d68-911b-e0cb11593fec"},
        {"page_size": "201"},
        {"flag": "X"},
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_told(alice, query):
    answer = alice.api.read("/worklist/", **query)
    assert answer.status_code == 400
    assert set(answer.json()["error"]["fields"]) == set(query)
    if not query.keys() & {"page_size"}:
        assert alice.browser.get(reverse("ui:worklist"), query).status_code == 404


def test_a_row_says_what_the_case_is_and_nothing_of_whose(alice, cases):
    (row,) = alice.api.read("/worklist/", priority="stat").json()["results"]
    assert row["due_at"] is not None
    assert {**row, "due_at": "", "created_at": ""} == {
        "id": str(cases["stat"].id),
        "accession": "stat",
        "processing": "done",
        "review": "open",
        "priority": "stat",
        "flags": ["HH", "A"],
        "assignee": None,
        "assigned_at": None,
        "due_at": "",
        "is_overdue": False,
        "created_at": "",
    }


def test_the_page_shows_what_is_work_and_what_can_be_done_with_it(alice, cases):
    page = page_of(alice, "worklist")
    for said in (">Stat<", ">overdue<", str(FLAGS["HH"]), "<strong>You</strong>", "Take over", "Release"):
        assert said in page
    assert ">signed<" not in page
    assert "signed" in page_of(alice, "worklist", review="any")
    assert f"{reverse('ui:case-assign', args=[cases['stat'].id])}" not in page
    sue = person(alice.lab, "Sue", Role.SUPERVISOR)
    page = page_of(sue, "worklist")
    assert reverse("ui:case-assign", args=[cases["stat"].id]) in page
    assert "data-take" not in page
    assert "?overdue=1" in page


def test_a_search_that_finds_no_work_leads_to_all_cases(alice, cases):
    page = page_of(alice, "worklist", q="sig")
    assert "review=any" in page
    assert "signed" in page_of(alice, "worklist", q="sig", review="any")
