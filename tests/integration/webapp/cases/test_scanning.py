"""A scanned accession opens its case at once."""

import pytest

pytestmark = pytest.mark.usefixtures("plain_static")


def opened(alice, **query):
    answer = alice.browser.get("/worklist/", {"open": "1", **query})
    return answer.headers.get("Location", answer.status_code)


def test_exactly_one_is_opened(alice):
    case, other = alice.case("A-17"), alice.case("A-171")
    alice.case("B-1")
    assert opened(alice, q="A-17") == f"/cases/{case.id}/"
    assert opened(alice, q="]C1A-17\r\n") == f"/cases/{case.id}/"
    assert opened(alice, q="a-17") == f"/cases/{case.id}/"
    assert opened(alice, q="A-171") == f"/cases/{other.id}/"
    assert opened(alice, q="b") != 200


def test_where_several_or_none_are_meant_the_list_is_shown(alice):
    alice.case("A-17")
    alice.case("A-18")
    assert opened(alice, q="A-1") == 200
    assert opened(alice, q="C") == 200
    assert opened(alice, q="") == 200


def test_a_label_is_found_in_whatever_state_its_case_is(alice):
    case = alice.case("A-17")
    assert opened(alice, q="A-17", review="signed") == f"/cases/{case.id}/"
    assert opened(alice, q="A-1", review="signed") == 200


def test_two_that_differ_in_case_alone_are_two(alice):
    upper, lower = alice.case("A-17"), alice.case("a-17")
    assert opened(alice, q="A-17") == f"/cases/{upper.id}/"
    assert opened(alice, q="a-17") == f"/cases/{lower.id}/"


def test_another_labs_case_is_none(alice, charlie):
    charlie.case("C-1")
    assert opened(alice, q="C-1") == 200


def test_while_one_types_nothing_is_opened(alice):
    alice.case("A-17")
    answer = alice.browser.get("/worklist/", {"q": "A-17", "open": "1"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200


def test_a_scanned_accession_and_mrn_are_kept_bare(alice):
    made = alice.api.send("/cases/", {"accession": "]C1A-17\r", "patient": {"mrn": "]C177-01\r"}})
    assert made.json()["accession"] == "A-17"
    assert made.json()["patient"]["mrn"] == "77-01"
    assert alice.api.send("/cases/search/", {"mrn": "]C07701"}).json()[0]["accession"] == "A-17"
    assert alice.api.read("/cases/", accession="]C1A-17").json()["results"]
    assert alice.browser.post("/cases/new/", {"accession": "\x02A-17\x03"}).status_code == 409
