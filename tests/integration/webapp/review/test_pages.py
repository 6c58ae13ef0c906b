"""The page of a review: who comes to it, and what it begins with."""

import json
import re

import pytest
from django.urls import reverse
from django_scopes import scope

from tests.support.pages import plain_static
from tests.support.people import person
from tests.support.review import decide
from webapp.audit.models import Entry
from webapp.cases.models import Case, Review
from webapp.labs.permissions import Permission, Role, granted
from webapp.labs.services import adjust_roles
from webapp.review.models import Reading
from webapp.review.services import open_reading

__all__ = ["plain_static"]
pytestmark = pytest.mark.usefixtures("plain_static")
SEED = re.compile(r'<script id="review-seed" type="application/json">(.*?)</script>', re.DOTALL)


def page(someone, case):
    return someone.browser.get(reverse("ui:review", args=[case.id]))


def seed(answer):
    found = SEED.search(answer.content.decode())
    assert found, answer.content
    return json.loads(found[1])


def test_a_review_is_begun_by_a_button_and_not_by_looking(alice, case, cells):
    shown = page(alice, case)
    assert "Begin the review" in shown.content.decode()
    assert not Reading.objects.filter(case=case).exists()
    answer = alice.browser.post(reverse("ui:review", args=[case.id]))
    assert answer["Location"] == reverse("ui:review", args=[case.id])
    assert Reading.objects.get(case=case).kind == Reading.Kind.FIRST
    assert seed(page(alice, case))["may_decide"] is True


def test_the_page_begins_with_what_the_api_says(alice, case, cells, reading):
    decide(reading, cells[:1], "blast", by=alice.membership.user)
    begun = seed(page(alice, case))
    api = f"/readings/{reading.id}/"
    asked = alice.api.get(f"/api/v1{api}cells/").json()
    people = begun["cells"].pop("people")
    assert people == asked.pop("people") | {str(alice.membership.user.pk): str(alice.membership.user)}
    assert begun["cells"] == asked
    detail = alice.api.get(f"/api/v1{api}").json()
    assert begun["differential"] == detail["differential"]
    assert begun["may_decide"] == detail["may_decide"]
    for mine, theirs in zip(begun["classes"], detail["classes"], strict=True):
        assert mine == {name: theirs[name] for name in mine}


def test_in_a_signed_case_one_may_look_and_not_decide(alice, case, cells, reading):
    Case.objects.filter(pk=case.pk).update(review=Review.SIGNED)
    assert seed(page(alice, case))["may_decide"] is False


@pytest.mark.parametrize(
    ("review", "is_led"),
    [
        *((Review.IN_REVIEW, True), (Review.REVIEWED, True)),
        *((Review.SIGNED, False), (Review.AMENDED, False), (Review.VOID, False)),
    ],
)
def test_it_leads_to_signing_while_there_is_something_to_sign(alice, case, cells, reading, review, is_led):
    olga = person(alice.lab, "Olga", Role.PATHOLOGIST)
    Case.objects.filter(pk=case.pk).update(review=review)
    to_sign = reverse("ui:sign", args=[case.id])
    assert seed(page(olga, case))["addresses"]["sign"] == (to_sign if is_led else "")


def test_it_leads_nobody_to_signing_who_may_not(alice, case, cells, reading):
    assert seed(page(alice, case))["addresses"]["sign"] == ""
    olga = person(alice.lab, "Olga", Role.PATHOLOGIST)
    with scope(lab=alice.lab):
        own = open_reading(case, Reading.Kind.SECOND, reader=olga.membership.user, blinded=False)
    address = f"{reverse('ui:review', args=[case.id])}?reading={own.pk}"
    assert seed(olga.browser.get(address))["addresses"]["sign"] == ""
    wanted = granted(Role.PATHOLOGIST) - {Permission.VIEW_IDENTIFIERS, Permission.EDIT_IDENTIFIERS}
    adjust_roles(alice.lab, {Role.PATHOLOGIST: wanted}, second_factor_roles=())
    assert seed(page(olga, case))["addresses"]["sign"] == ""


def test_who_reads_blinded_comes_to_their_own_reading(alice, case, cells, reading):
    decide(reading, cells[:1], "blast", by=alice.membership.user)
    second = person(alice.lab, "Olga", Role.PATHOLOGIST)
    with scope(lab=alice.lab):
        own = open_reading(case, Reading.Kind.SECOND, reader=second.membership.user, blinded=True)
    begun = seed(page(second, case))
    assert begun["reading"] == own.pk
    assert [one["class"] for one in begun["cells"]["sections"]] == ["unidentified", "neutrophil"]


def test_a_reading_is_asked_for_and_found_by_who_may_see_it(alice, charlie, case, cells, reading):
    second = person(alice.lab, "Olga", Role.PATHOLOGIST)
    with scope(lab=alice.lab):
        own = open_reading(case, Reading.Kind.SECOND, reader=second.membership.user, blinded=False)
    address = f"{reverse('ui:review', args=[case.id])}?reading="
    assert seed(page(second, case))["reading"] == reading.pk
    assert seed(second.browser.get(f"{address}{own.pk}"))["reading"] == own.pk
    for strange in ("0", "9" * 30, "first", "-1", "٣"):
        assert second.browser.get(f"{address}{strange}").status_code == 404
    assert charlie.browser.get(f"{address}{own.pk}").status_code in (403, 404)


def test_a_second_reader_comes_to_their_reading_by_links(alice, case, cells, reading):
    second = person(alice.lab, "Olga", Role.PATHOLOGIST)
    with scope(lab=alice.lab):
        own = open_reading(case, Reading.Kind.SECOND, reader=second.membership.user, blinded=False)
    address = f"{reverse('ui:review', args=[case.id])}?reading={own.pk}"
    of_case = reverse("ui:case", args=[case.id])
    assert f'href="{address}">Your second reading</a>' in second.browser.get(of_case).content.decode()
    assert f'href="{address}">Second reading by Olga</a>' in alice.browser.get(of_case).content.decode()
    listed = seed(page(second, case))["readings"]
    assert [(one["id"], one["name"]) for one in listed] == [
        (reading.pk, "First reading"),
        (own.pk, "Your second reading"),
    ]
    for one in listed:
        assert seed(second.browser.get(one["address"]))["reading"] == one["id"]


def test_nobody_is_led_to_a_reading_that_is_not_for_them(alice, case, cells, reading):
    second = person(alice.lab, "Olga", Role.PATHOLOGIST)
    with scope(lab=alice.lab):
        own = open_reading(case, Reading.Kind.SECOND, reader=second.membership.user, blinded=True)
    assert [one["id"] for one in seed(page(second, case))["readings"]] == [own.pk]
    assert [one["id"] for one in seed(page(alice, case))["readings"]] == [reading.pk]
    assert f"reading={own.pk}" not in alice.browser.get(reverse("ui:case", args=[case.id])).content.decode()


def test_words_are_on_the_cells_page_for_who_sees_patients_and_on_record(alice, case, cells, reading):
    decide(reading, cells[:1], "other", by=alice.membership.user, words="like Ada's")
    address = reverse("ui:cell", args=[case.id, cells[0]])
    shown = Entry.objects.filter(chain=alice.lab.id, action="case.identifiers_shown")
    supervisor = person(alice.lab, "Sue", Role.SUPERVISOR)
    for someone, query in ((supervisor, ""), (alice, "?model")):
        assert "Ada" not in someone.browser.get(address + query).content.decode()
    assert not shown.exists()
    assert "like Ada&#x27;s" in alice.browser.get(address).content.decode()
    assert shown.count() == 1
    assert seed(page(alice, case))["may_read_words"] is True


def test_the_case_leads_to_its_review_whoever_may_decide(alice, case, cells):
    address = f'action="{reverse("ui:review", args=[case.id])}"'
    of_case = reverse("ui:case", args=[case.id])
    assert address in alice.browser.get(of_case).content.decode()
    supervisor = person(alice.lab, "Sven", Role.SUPERVISOR)
    assert address not in supervisor.browser.get(of_case).content.decode()
    assert page(supervisor, case).status_code == 403
