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
    assert "written in different ways" not in page


def test_mrns_that_differ_in_separators_alone_are_shown_to_differ(alice):
    for accession, mrn in (("P-1", "1-23"), ("P-2", "12-3")):
        alice.api.send("/cases/", {"accession": accession, "patient": {"mrn": mrn}})
    page = alice.browser.post(reverse("ui:find-patient"), {"mrn": "123"}).content.decode()
    assert "written in different ways" in page
    assert "1-23" in page
    assert "12-3" in page


@pytest.mark.parametrize("again", ["E\u0301-10", "É-１０", "É-10\u00a0", "É\u00ad-10"])
def test_an_accession_is_one_in_whatever_form(alice, again):
    alice.case("É-10")
    assert alice.api.send("/cases/", {"accession": again}).status_code == 409
    page = alice.browser.post(reverse("ui:new-case"), {"accession": again})
    assert page.status_code == 409
    assert page.context["existing"].accession == "É-10"
    assert len(alice.api.read("/cases/", accession=again).json()["results"]) == 1
    assert "É-10" in alice.browser.get(reverse("ui:cases"), {"q": again}).content.decode()


def test_an_mrn_that_no_search_would_find_is_rejected(alice):
    refused = alice.api.send("/cases/", {"accession": "N-9", "patient": {"mrn": "- /"}})
    assert refused.status_code == 400
    assert "An MRN has letters or digits." in str(refused.json())
    page = alice.browser.post(reverse("ui:new-case"), {"accession": "N-9", "mrn": "- /"})
    assert "An MRN has letters or digits." in page.content.decode()
