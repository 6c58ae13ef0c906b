"""Filters that a member keeps: their own, one the default, and valid whatever became of what they ask for."""

import pytest
from django.urls import reverse
from django_scopes import scope

from tests.support.people import person
from webapp.labs import services as labs
from webapp.labs.permissions import Role
from webapp.worklist import saving
from webapp.worklist.filters import Wanted
from webapp.worklist.models import SavedFilter

pytestmark = pytest.mark.usefixtures("plain_static")


def keep(someone, name, is_default=False, **wanted):
    with scope(lab=someone.lab):
        return saving.save(someone.membership, name=name, wanted=Wanted(**wanted), is_default=is_default)


def kept(someone):
    with scope(lab=someone.lab):
        found = SavedFilter.objects.filter(membership=someone.membership)
        return {one.name: (one.query, one.is_default) for one in found}


def test_a_filter_is_kept_from_the_page_and_leads_back_there(alice):
    browser, address = alice.browser, reverse("ui:worklist-filters")
    answer = browser.post(
        address, {"name": "Urgent ones", "priority": "urgent", "sort": "oldest", "flag": "X"}
    )
    assert kept(alice) == {"Urgent ones": ({"priority": "urgent", "sort": "oldest"}, False)}
    page = browser.get(answer.url).content.decode()
    assert "priority=urgent&amp;sort=oldest" in page
    assert "Urgent ones" in browser.get(address).content.decode()


def test_the_worklist_begins_with_the_default_one(alice):
    keep(alice, "Mine", is_default=True, assignee="me")
    begun = alice.browser.get(reverse("ui:worklist"))
    assert begun.status_code == 302
    assert "assignee=me" in begun.url
    assert alice.browser.get(begun.url).status_code == 200
    assert alice.browser.get(reverse("ui:worklist"), {"q": ""}).status_code == 200  # all work
    keep(alice, "Old", is_default=True, older_than="48")
    assert kept(alice) == {"Mine": ({"assignee": "me"}, False), "Old": ({"older_than": "48"}, True)}


def test_it_is_renamed_made_the_default_and_deleted(alice):
    first, second = keep(alice, "One", flag="A"), keep(alice, "Two")
    prefix = f"filter-{first.pk}"
    change = reverse("ui:worklist-filter", args=[first.pk])
    alice.browser.post(change, {f"{prefix}-name": "Blasts", f"{prefix}-is_default": "on"})
    assert kept(alice) == {"Blasts": ({"flag": "A"}, True), "Two": ({}, False)}
    taken = alice.browser.post(change, {f"{prefix}-name": "two"})
    assert taken.status_code == 409
    assert "already" in taken.content.decode()
    for wrong in ("", " ", "x" * 61, "a\x1bb"):
        assert alice.browser.post(change, {f"{prefix}-name": wrong}).status_code == 422
    alice.browser.post(reverse("ui:worklist-filter-delete", args=[second.pk]))
    assert list(kept(alice)) == ["Blasts"]


def test_names_are_one_s_own_once_in_any_case(alice, charlie):
    keep(alice, "Mine")
    answer = alice.browser.post(reverse("ui:worklist-filters"), {"name": "MINE", "flag": "A"})
    assert answer.status_code == 409
    assert 'name="flag" value="A"' in answer.content.decode()  # nothing is lost
    colleague = person(alice.lab, "Paul", Role.PATHOLOGIST)
    keep(colleague, "Mine")
    assert list(kept(colleague)) == ["Mine"]


def test_nobody_sees_or_changes_another_s(alice):
    saved = keep(alice, "Mine")
    paul = person(alice.lab, "Paul", Role.PATHOLOGIST)
    for name in ("worklist-filter", "worklist-filter-delete"):
        answer = paul.browser.post(reverse(f"ui:{name}", args=[saved.pk]), {f"filter-{saved.pk}-name": "x"})
        assert answer.status_code == 404
    assert paul.api.delete(f"/api/v1/worklist/filters/{saved.pk}/").status_code == 404
    assert paul.api.read("/worklist/filters/").json() == []
    assert list(kept(alice)) == ["Mine"]


def test_what_is_no_more_is_left_out_and_told(alice):
    paul = person(alice.lab, "Paul", Role.PATHOLOGIST)
    saved = keep(alice, "Paul's", is_default=True, assignee=str(paul.membership.user.pk), priority="urgent")
    with scope(lab=alice.lab):
        labs.deactivate(paul.membership)
        SavedFilter.objects.filter(pk=saved.pk).update(query={**saved.query, "review": "gone", "new": "x"})
    begun = alice.browser.get(reverse("ui:worklist"))
    assert ("assignee" in begun.url, "review" in begun.url, "priority=urgent" in begun.url) == (
        False,
        False,
        True,
    )
    page = alice.browser.get(begun.url).content.decode()
    assert "that is no more: Review, Whose" in page
    shown = alice.api.read("/worklist/filters/").json()
    assert shown[0]["query"] == {"priority": "urgent", "assignee": str(paul.membership.user.pk)}


def test_they_go_with_the_membership(alice):
    keep(alice, "Mine")
    with scope(lab=alice.lab):
        labs.remove(alice.membership)
        assert not SavedFilter.objects.exists()


def test_there_are_so_many_and_no_more(alice, monkeypatch):
    monkeypatch.setattr(saving, "MOST", 2)
    keep(alice, "1")
    keep(alice, "2")
    answer = alice.api.send("/worklist/filters/", {"name": "3", "query": {}})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "too_many_filters")


def test_the_api_does_the_same(alice):
    query = {"overdue": True, "older_than": 24, "assignee": "me"}
    made = alice.api.send("/worklist/filters/", {"name": "Late", "query": query, "is_default": True})
    assert made.status_code == 201
    assert made.json() == {"id": made.json()["id"], "name": "Late", "query": query, "is_default": True} | {
        "query": {**query}
    }
    here = f"/api/v1/worklist/filters/{made.json()['id']}/"

    def patch(**body):
        return alice.api.patch(here, body, content_type="application/json")

    assert patch(name="Later").json()["query"] == query
    assert patch(query={"flag": "A"}).json() == {**made.json(), "name": "Later", "query": {"flag": "A"}}
    assert patch(is_default=False).json()["is_default"] is False
    wrongs: list[object] = [{"flag": "X"}, [], {"older_than": 0}]
    for wrong in wrongs:
        assert patch(query=wrong).status_code == 400
    assert patch(name="").status_code == 400
    alice.api.send("/worklist/filters/", {"name": "Other", "query": {}})
    assert patch(name="OTHER").json()["error"]["code"] == "name_taken"
    assert alice.api.delete(here).status_code == 204
    assert list(kept(alice)) == ["Other"]
