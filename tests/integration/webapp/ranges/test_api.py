"""Ranges by the API: proposed in three ways, approved, taken out and brought in again."""

import pytest
from django_scopes import scope

from tests.support.people import person
from webapp.labs.permissions import Role
from webapp.ranges.models import ReferenceRange
from webapp.ranges.tables import shipped

pytestmark = pytest.mark.usefixtures("fresh_rates", "plain_static")

RANGES = "/lab/ranges/"
ROW = {"class": "neutrophil", "quantity": "absolute", "low": 1.8, "high": "7.7", "source": "A book"}


@pytest.fixture
def sue(lab):
    return person(lab, "Sue", Role.SUPERVISOR)


def test_a_range_is_proposed_and_approved(sue, alice):
    made = sue.api.send(RANGES, {"ranges": [ROW]})
    assert made.status_code == 201, made.content
    (row,) = made.json()["proposed"]
    assert (row["low"], row["text"], row["approved_by"]) == ("1.800", "1.80–7.70 ×10⁹/L", None)
    (approved,) = sue.api.send(f"{RANGES}approve/", {"ids": [row["id"]]}).json()
    assert approved["approved_by"] == "Sue"
    found = alice.api.get("/api/v1/lab/ranges/").json()
    assert [one["id"] for one in found["approved"]] == [row["id"]]
    assert (found["proposed"], found["nrbc_correction_from"]) == ([], 5)


def test_what_leaves_a_gap_is_a_conflict_in_words(sue):
    made = sue.api.send(RANGES, {"ranges": [{**ROW, "age_to_days": 730}]}).json()["proposed"]
    answer = sue.api.send(f"{RANGES}approve/", {"ids": [made[0]["id"]]})
    assert answer.status_code == 409
    error = answer.json()["error"]
    assert error["code"] == "ranges_not_whole"
    assert error["message"] == "Neutrophil, 10⁹/L: there would be no range, from 2 years on."


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"low": 8}, "low"),
        ({"low": "about two"}, "low"),
        ({"low": "1,8"}, "low"),
        ({"low": -1}, "low"),
        ({"low": True}, "low"),
        ({"low": "NaN"}, "low"),
        ({"low": "1e400"}, "low"),
        ({"critical_low": 3}, "critical_low"),
        ({"class": "platelet"}, "class"),
        ({"age_from_days": 10**9}, "age_from_days"),
        ({"source": ""}, "source"),
    ],
)
def test_a_wrong_value_is_said_of_its_field(sue, change, field):
    answer = sue.api.send(RANGES, {"ranges": [{**ROW, **change}]})
    assert answer.status_code == 400
    assert field in str(answer.json()["error"]["fields"]["ranges"])


def test_a_table_is_checked_first_and_says_what_is_wrong_by_line(sue):
    table = "class,quantity,low,high,source\nneutrophil,absolute,9,2,A\n"
    answer = sue.api.send(RANGES, {"table": table, "dry_run": True})
    assert answer.status_code == 400
    assert answer.json()["error"]["fields"]["table"]["2"] == ["low: The lower limit is above the upper one."]
    right = table.replace("9,2", "2,9")
    assert sue.api.send(RANGES, {"table": right, "dry_run": True}).json() == {"proposed": [], "n": 1}
    with scope(lab=sue.lab):
        assert not ReferenceRange.objects.exists()
    assert sue.api.send(RANGES, {"table": right}).status_code == 201


def test_what_goes_out_comes_in(sue):
    made = sue.api.send(RANGES, {"shipped": True}).json()["proposed"]
    assert len(made) == len(shipped())
    sue.api.send(f"{RANGES}approve/", {"ids": [one["id"] for one in made]})
    exported = sue.api.get("/api/v1/lab/ranges/export.csv").getvalue().decode()
    answer = sue.api.send(RANGES, {"table": exported}).json()
    assert (answer["n"], answer["proposed"]) == (len(shipped()), [])  # all of it counts already


def test_it_is_taken_back_or_retired(sue):
    first, second = (
        sue.api.send(RANGES, {"ranges": [{**ROW, "low": low}]}).json()["proposed"][0]["id"] for low in (1, 2)
    )
    assert sue.api.send(f"{RANGES}withdraw/", {"ids": [first]}).status_code == 204
    assert sue.api.send(f"{RANGES}withdraw/", {"ids": [first]}).status_code == 409
    sue.api.send(f"{RANGES}approve/", {"ids": [second]})
    group = {"class": "neutrophil", "quantity": "absolute"}
    assert sue.api.send(f"{RANGES}retire/", group).status_code == 204
    assert sue.api.get("/api/v1/lab/ranges/").json()["approved"] == []


def test_the_correction_is_set(sue):
    assert sue.api.send(f"{RANGES}correction/", {"nrbc_correction_from": 0}).status_code == 400
    assert sue.api.send(f"{RANGES}correction/", {"nrbc_correction_from": 1}).status_code == 200
    assert sue.api.get("/api/v1/lab/ranges/").json()["nrbc_correction_from"] == 1


@pytest.mark.parametrize("body", [{}, {"shipped": True, "ranges": [ROW]}, {"ranges": []}])
def test_one_way_at_a_time(sue, body):
    assert sue.api.send(RANGES, body).status_code == 400
