"""Patients over HTTP: who is shown what, who may change it, and that no address carries an MRN."""

import json

import pytest
from django.urls import reverse
from django_scopes import scope

from tests.integration.webapp.cases.test_identifiers import ADA, on_disk, write
from tests.support.people import person
from webapp.audit.models import Entry
from webapp.cases import selectors
from webapp.cases.services import create_case
from webapp.labs.permissions import Role
from webapp.patients.models import Patient

pytestmark = pytest.mark.usefixtures("plain_static")

SENT = {**ADA, "birth_date": "1915-12-10"}


@pytest.fixture
def case(alice):
    with scope(lab=alice.lab):
        return create_case(alice.lab, accession="A-1", by=alice.membership.user, identifiers=ADA)


@pytest.fixture
def dan(alice):
    """Sees cases, not who they are of."""
    return person(alice.lab, "Dan", Role.ADMIN)


def patch(someone, case, body):
    path = f"/api/v1/cases/{case.id}/patient/"
    return someone.api.generic("PATCH", path, json.dumps(body), content_type="application/json")


def nothing_odd(shown):
    return {"id": shown["id"], "unreadable": [], "kept": [], "erased": False}


def actions(someone) -> list[str]:
    return list(Entry.objects.filter(chain=someone.lab.id).order_by("seq").values_list("action", flat=True))


def test_the_api_takes_and_gives_identifiers(alice):
    made = alice.api.send("/cases/", {"accession": "A-1", "patient": SENT})
    assert made.status_code == 201
    assert made.json()["patient"] == {**SENT, **nothing_odd(made.json()["patient"])}
    case = made.json()["id"]
    assert alice.api.read(f"/cases/{case}/").json()["patient"]["name"] == "Ada Lovelace"
    (listed,) = alice.api.read("/cases/").json()["results"]
    assert listed["patient"]["mrn"] == "MRN 00-42"


def test_other_roles_are_given_none_of_it(dan, case):
    for path in ("/cases/", f"/cases/{case.id}/"):
        answer = dan.api.read(path)
        assert answer.status_code == 200
        assert "patient" not in answer.content.decode()
        assert "Ada" not in answer.content.decode()
    for page in (reverse("ui:worklist"), reverse("ui:case", args=[case.id])):
        shown = dan.browser.get(page).content.decode()
        assert "A-1" in shown
        assert "Ada" not in shown
        assert "MRN" not in shown


def test_other_roles_can_enter_none_of_it(dan):
    refused = dan.api.send("/cases/", {"accession": "A-2", "patient": {"name": "Ada"}})
    assert refused.status_code == 403
    dan.browser.post(reverse("ui:new-case"), {"accession": "A-3", "name": "Ada"})
    with scope(lab=dan.lab):
        assert not Patient.objects.exists()


def test_the_api_changes_what_is_named(alice, case):
    changed = patch(alice, case, {"name": "Ada King", "birth_date": None})
    wanted = {**SENT, "name": "Ada King", "birth_date": None}
    assert changed.json() == {**wanted, **nothing_odd(changed.json())}
    assert "case.identifiers_changed" in actions(alice)


@pytest.mark.parametrize(
    "wrong",
    [
        {"birth_date": "2999-01-01"},
        {"birth_date": "12.10.1915"},
        {"sex": "Ada Lovelace"},
        {"mrn": "4" * 65},
        {"name": "Ada\x1b"},
        {"notes": "bell \u0008"},
    ],
    ids=str,
)
def test_what_cannot_be_is_rejected_without_repeating_it(alice, case, wrong):
    refused = patch(alice, case, wrong)
    assert refused.status_code == 400
    (name, value), *_ = wrong.items()
    assert list(refused.json()["error"]["fields"]) == [name]
    assert value not in refused.content.decode()


def test_an_mrn_is_searched_in_the_body(alice, dan, case):
    found = alice.api.send("/cases/search/", {"mrn": "mrn 0042"}).json()
    assert [(row["accession"], row["patient"]["name"]) for row in found] == [("A-1", "Ada Lovelace")]
    assert alice.api.send("/cases/search/", {"mrn": "0042"}).json() == []
    assert dan.api.send("/cases/search/", {"mrn": "mrn 0042"}).status_code == 403
    assert alice.api.read("/cases/search/", mrn="mrn 0042").status_code == 403
    assert actions(alice).count("case.patient_searched") == 2


def test_the_page_finds_by_mrn(alice, case):
    page = alice.browser.post(reverse("ui:find-patient"), {"mrn": "MRN-0042"}).content.decode()
    assert "A-1" in page
    assert "Ada Lovelace" in page
    nothing = alice.browser.post(reverse("ui:find-patient"), {"mrn": "MRN-004"}).content.decode()
    assert "No case has this MRN" in nothing


def test_pages_enter_show_and_correct_a_patient(alice):
    browser = alice.browser
    made = browser.post(reverse("ui:new-case"), {"accession": "A-1", **SENT}, follow=True)
    assert "Ada Lovelace" in made.content.decode()
    assert "10 Dec 1915" in made.content.decode()
    page = made.redirect_chain[-1][0] + "patient/"
    assert 'value="1915-12-10"' in browser.get(page).content.decode()
    corrected = browser.post(page, {**SENT, "name": "Ada King"}, follow=True).content.decode()
    assert "Ada King" in corrected
    assert "Ada King" in browser.get(reverse("ui:worklist")).content.decode()


def test_a_wrong_entry_is_shown_again_with_the_reason(alice):
    wrong = {"accession": "A-1", "birth_date": "2999-01-01", "name": "Ada"}
    response = alice.browser.post(reverse("ui:new-case"), wrong)
    assert response.status_code == 422
    assert "not in the future" in response.content.decode()
    with scope(lab=alice.lab):
        assert not selectors.cases()


def test_pages_that_name_patients_are_kept_by_nobody(alice, case):
    for page in (
        reverse("ui:worklist"),
        reverse("ui:case", args=[case.id]),
        reverse("ui:case-patient", args=[case.id]),
    ):
        assert "no-store" in alice.browser.get(page)["Cache-Control"]
    assert "no-store" in alice.browser.post(reverse("ui:find-patient"), {"mrn": "1"})["Cache-Control"]


def test_what_was_tampered_with_is_said_and_kept_on_record(alice, case):
    write(case, "name", on_disk(case)["mrn"])
    page = alice.browser.get(reverse("ui:case", args=[case.id])).content.decode()
    assert "Name cannot be decrypted" in page
    assert "MRN 00-42" in page
    assert "unreadable" in alice.browser.get(reverse("ui:worklist")).content.decode()
    answer = alice.api.read(f"/cases/{case.id}/").json()["patient"]
    assert answer["unreadable"] == ["name"]
    assert "name" not in answer
    assert actions(alice).count("case.identifiers_unreadable") == 2


def test_correcting_another_field_leaves_what_is_unreadable(alice, case):
    write(case, "mrn", on_disk(case)["name"])
    form = {name: value for name, value in SENT.items() if name != "mrn"}
    alice.browser.post(reverse("ui:case-patient", args=[case.id]), {**form, "name": "Ada King"})
    answer = alice.api.read(f"/cases/{case.id}/").json()["patient"]
    assert answer["name"] == "Ada King"
    assert answer["unreadable"] == ["mrn"]
    alice.browser.post(reverse("ui:case-patient", args=[case.id]), {**form, "name": "Ada King", "mrn": "7"})
    assert alice.api.read(f"/cases/{case.id}/").json()["patient"]["mrn"] == "7"
    assert alice.api.send("/cases/search/", {"mrn": "7"}).json() != []


def test_no_query_per_case(alice, django_assert_max_num_queries):
    for number in range(12):
        with scope(lab=alice.lab):
            create_case(
                alice.lab,
                accession=f"B-{number}",
                by=alice.membership.user,
                identifiers={**ADA, "mrn": f"M-{number}"},
            )
    browser = alice.browser
    asked = (
        (lambda: alice.api.read("/cases/"), (16, 8)),
        (lambda: browser.get(reverse("ui:worklist")), (20, 12)),
    )
    for ask, bounds in asked:
        for most in bounds:  # at first the session and the entry of who saw them are written
            with django_assert_max_num_queries(most):
                assert ask().status_code == 200
