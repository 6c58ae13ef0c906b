"""From which change on a lab wants values marked: who proposes, who approves, and what counts."""

from decimal import Decimal

import pytest
from django_scopes import scope

from tests.support.people import person
from tests.support.present import present
from webapp.audit.actions import Action
from webapp.audit.models import Entry
from webapp.labs.permissions import Role
from webapp.results import delta_limits
from webapp.results.models import DeltaLimit

pytestmark = pytest.mark.usefixtures("plain_static")
GIVEN = {"class": "neutrophil", "quantity": "absolute", "change": "1.5", "is_relative": False, "days": 30}


@pytest.fixture
def sue(lab):
    with scope(lab=lab):
        yield person(lab, "Sue", Role.SUPERVISOR)


def test_none_comes_with_the_product(sue):
    assert sue.api.read("/lab/delta-limits/").json() == []


def test_it_counts_once_it_is_approved_and_until_it_is_retired(sue):
    made = sue.api.send("/lab/delta-limits/", GIVEN).json()
    assert (made["counts"], made["proposed_by"]) == (False, "Sue")
    assert delta_limits.that_count(sue.lab.id) == []
    path = f"/lab/delta-limits/{made['id']}/"
    assert sue.api.send(f"{path}approve/").json()["counts"]
    assert [one.change for one in delta_limits.that_count(sue.lab.id)] == [Decimal("1.500")]
    assert sue.api.send(f"{path}approve/").status_code == 409
    assert sue.api.send(f"{path}retire/").json()["counts"] is False
    assert sue.api.send(f"{path}retire/").status_code == 409
    assert sue.api.send(f"{path}approve/").status_code == 409
    assert delta_limits.that_count(sue.lab.id) == []
    entries = Entry.objects.filter(action__startswith="lab.delta_limit").order_by("seq")
    assert [entry.action for entry in entries] == [
        Action.DELTA_LIMIT_PROPOSED,
        Action.DELTA_LIMIT_APPROVED,
        Action.DELTA_LIMIT_RETIRED,
    ]
    assert present(entries[0].after)["limit"] == "neutrophil absolute 1.5 absolute 30 d"


def test_two_for_the_same_do_not_count_at_once(sue):
    first, second = (sue.api.send("/lab/delta-limits/", GIVEN).json()["id"] for _ in range(2))
    sue.api.send(f"/lab/delta-limits/{first}/approve/")
    answer = sue.api.send(f"/lab/delta-limits/{second}/approve/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "counts_already")
    sue.api.send(f"/lab/delta-limits/{first}/retire/")
    assert sue.api.send(f"/lab/delta-limits/{second}/approve/").status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("class", "platelet"),  # a mere number
        ("class", "unicorn"),
        ("quantity", "per_100"),  # of what is not among the white cells
        ("change", "0"),
        ("change", "-1"),
        ("change", "1,5"),
        ("change", "abc"),
        ("change", "NaN"),
        ("days", 0),
        ("days", 100000),
        ("days", "soon"),
    ],
)
def test_values_that_are_none(sue, name, value):
    answer = sue.api.send("/lab/delta-limits/", GIVEN | {name: value})
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [name])
    assert not DeltaLimit.objects.exists()


def test_by_the_page(sue):
    given = {
        "cell_class": "erythroblast",
        "quantity": "per_100",
        "change": "5",
        "is_relative": "no",
        "days": "7",
    }
    assert sue.browser.post("/lab/delta-limits/", given | {"quantity": "percent"}).status_code == 422
    assert sue.browser.post("/lab/delta-limits/", given | {"change": "0"}).status_code == 422
    assert sue.browser.post("/lab/delta-limits/", given).status_code == 302
    limit = DeltaLimit.objects.get()
    assert (limit.is_relative, limit.counts) == (False, False)
    assert "None: no change is marked" not in sue.browser.get("/lab/delta-limits/").content.decode()
    sue.browser.post(f"/lab/delta-limits/{limit.pk}/approve/")
    assert "approved by Sue" in sue.browser.get("/lab/delta-limits/").content.decode()
    assert sue.browser.post(f"/lab/delta-limits/{limit.pk}/approve/").status_code == 409
    sue.browser.post(f"/lab/delta-limits/{limit.pk}/retire/")
    assert "retired by Sue" in sue.browser.get("/lab/delta-limits/").content.decode()


@pytest.mark.parametrize("role", [Role.PATHOLOGIST, Role.TECHNICIAN, Role.ADMIN])
def test_who_may_not_approve_changes_none(sue, role):
    someone = person(sue.lab, "Robin", role)
    assert someone.api.send("/lab/delta-limits/", GIVEN).status_code == 403
    assert someone.browser.get("/lab/delta-limits/").status_code == 403


def test_another_labs_limit_is_not_there(sue, charlie):
    made = sue.api.send("/lab/delta-limits/", GIVEN).json()
    outsider = person(charlie.lab, "Out", Role.SUPERVISOR)
    assert outsider.api.send(f"/lab/delta-limits/{made['id']}/approve/").status_code == 404
    assert outsider.api.read("/lab/delta-limits/").json() == []
