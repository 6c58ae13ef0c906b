"""MRNs and accessions: one in whatever form they are written."""

import pytest
from django.urls import reverse

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static")]


@pytest.mark.parametrize("sought", ["12 345.6-X", "12/3456x", "１２３４５６Ｘ", "۱۲۳۴۵۶x", " 123456X\u00a0"])
def test_an_mrn_is_found_however_it_is_parted(alice, sought):
    alice.api.send("/cases/", {"accession": "P-1", "patient": {"mrn": "12-3456-X"}})
    (found,) = alice.api.send("/cases/search/", {"mrn": sought}).json()
    assert found["patient"]["mrn"] == "12-3456-X"
    page = alice.browser.post(reverse("ui:find-patient"), {"mrn": sought}).content.decode()
    assert "12-3456-X" in page


def test_an_mrn_that_differs_in_separators_alone_is_the_same_and_that_is_said(alice):
    alice.api.send("/cases/", {"accession": "P-1", "patient": {"mrn": "1-23"}})
    made = alice.api.send("/cases/", {"accession": "P-2", "patient": {"mrn": "12-3"}}).json()
    assert (made["patient"]["mrn"], made["patient"]["kept"]) == ("1-23", ["mrn"])
    page = alice.browser.post(reverse("ui:new-case"), {"accession": "P-3", "mrn": "12-3"}, follow=True)
    assert "you gave otherwise: MRN" in page.content.decode()


@pytest.mark.parametrize("again", ["E\u0301-10", "É-１０", "É-10\u00a0", "É\u00ad-10"])
def test_an_accession_is_one_in_whatever_form(alice, again):
    alice.case("É-10")
    assert alice.api.send("/cases/", {"accession": again}).status_code == 409
    page = alice.browser.post(reverse("ui:new-case"), {"accession": again})
    assert page.status_code == 409
    assert page.context["existing"].accession == "É-10"
    assert len(alice.api.read("/cases/", accession=again).json()["results"]) == 1
    assert "É-10" in alice.browser.get(reverse("ui:worklist"), {"q": again}).content.decode()


def test_an_mrn_that_no_search_would_find_is_rejected(alice):
    refused = alice.api.send("/cases/", {"accession": "N-9", "patient": {"mrn": "- /"}})
    assert refused.status_code == 400
    assert "An MRN has letters or digits." in str(refused.json())
    page = alice.browser.post(reverse("ui:new-case"), {"accession": "N-9", "mrn": "- /"})
    assert "An MRN has letters or digits." in page.content.decode()
