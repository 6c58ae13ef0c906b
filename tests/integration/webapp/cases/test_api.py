"""Cases by the API: made once, found by their accession, listed at one cost."""

import pytest
from django_scopes.exceptions import ScopeError

from webapp.cases.models import Case

pytestmark = pytest.mark.usefixtures("fresh_rates")


def test_unscoped_queries_raise(alice):
    alice.case()
    with pytest.raises(ScopeError):
        list(Case.objects.all())


def test_a_case_is_made_once(alice):
    assert alice.api.send("/cases/", {"accession": "H-77"}).status_code == 201
    again = alice.api.send("/cases/", {"accession": "H-77"})
    assert again.status_code == 409
    assert again.json()["error"]["code"] == "accession_taken"
    assert "H-77" in again.json()["error"]["message"]


def test_two_labs_may_use_the_same_accession(alice, charlie):
    assert alice.api.send("/cases/", {"accession": "H-77"}).status_code == 201
    assert charlie.api.send("/cases/", {"accession": "H-77"}).status_code == 201


@pytest.mark.parametrize("accession", ["", "x" * 65, "a\x1bb", "a\x00b", 7.5, None])
def test_bad_accessions_are_told(alice, accession):
    response = alice.api.send("/cases/", {"accession": accession})
    if accession == 7.5:
        assert response.status_code == 201  # JSON numbers read as their digits
        return
    assert response.status_code == 400
    assert "accession" in response.json()["error"]["fields"]


def test_of_no_accession_there_is_no_case(alice):
    """A client that looks for its case by a number it does not have must not get somebody else's."""
    alice.case()
    for nothing in ("", " ", "\u200b"):
        response = alice.api.read("/cases/", accession=nothing)
        assert response.json()["results"] == []


def test_listing_cases_costs_the_same_for_many(alice, django_assert_num_queries):
    for number in range(3):
        alice.case(f"few-{number}")
    alice.api.read("/cases/")  # notes that the token is in use, once a minute
    with django_assert_num_queries(4):  # token, cases, progress, patients
        alice.api.read("/cases/")
    for number in range(30):
        alice.case(f"many-{number}")
    with django_assert_num_queries(4):
        assert len(alice.api.read("/cases/").json()["results"]) == 33


def test_a_bad_accession_filter_is_told(alice):
    assert alice.api.read("/cases/", accession="\0").status_code == 400
