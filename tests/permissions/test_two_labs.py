"""One browser, two labs: what was shown of one is never done in the other, and nobody is moved unasked."""

import json
import re
from html.parser import HTMLParser

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django_scopes import scope

from tests.permissions.endpoints import ENDPOINTS, path_of
from tests.permissions.places import Place
from tests.permissions.test_endpoints import API, FORM, GUARDED, each, rolled_back
from tests.support.pages import add_unusable, plain_static
from tests.support.people import Person, person, proved_who_they_are
from tests.support.present import present
from webapp.accounts.factors import seal_secret
from webapp.audit.models import Entry
from webapp.cases.models import Case, Image
from webapp.labs.middleware import ACTIVE_LAB
from webapp.labs.models import Membership
from webapp.labs.permissions import TABLE, Permission, Role
from webapp.labs.services import add_member

__all__ = ["plain_static"]
pytestmark = pytest.mark.usefixtures("plain_static")

WRITES = [entry for entry in GUARDED if entry[1] != "GET"]


@pytest.fixture
def both(alice, charlie, monkeypatch) -> Person:
    """An administrator of both labs, of whom no permission is withheld: forms of all pages are asked for."""
    ada = person(alice.lab, "Ada", Role.ADMIN)
    monkeypatch.setitem(TABLE, Role.ADMIN, frozenset(Permission))
    add_member(charlie.lab, email=ada.membership.user.email, name="Ada", role=Role.ADMIN, password="")
    return ada


def browser_of(someone: Person) -> Client:
    """One that says of no lab but what it is told to."""
    client = Client()
    client.force_login(someone.membership.user)
    proved_who_they_are(client, someone.membership.user)
    return client


def go_to(client: Client, lab) -> None:
    client.post(reverse("ui:switch-lab"), {"lab": str(lab.id)})


def write(client: Client, place: Place, method: str, route: str, **said: str):
    cache.clear()
    path, headers = path_of(route, place.addresses), {}
    if route.startswith(API):
        headers = {"X-Lab": said["lab"]} if said else {}
        return client.generic(method, path, "{}", content_type="application/json", headers=headers)
    return client.post(path, {**FORM, **({"in_lab": said["lab"]} if said else {})})


def traces(*labs) -> int:
    return Entry.objects.filter(chain__in=[lab.id for lab in labs]).count()


@each(WRITES)
def test_what_is_of_another_lab_or_of_none_is_not_done(alice, charlie, both, place, route, method, needed):
    client = browser_of(both)
    for worked_in in (alice.lab, charlie.lab):
        other = charlie.lab if worked_in == alice.lab else alice.lab
        go_to(client, worked_in)
        before = traces(alice.lab, charlie.lab)
        for said in ({"lab": str(other.id)}, {"lab": "no lab"}, {}):
            with rolled_back():
                answer = write(client, place, method, route, **said)
                assert traces(alice.lab, charlie.lab) == before
            assert answer.status_code == 409
            if route.startswith(API):
                code = "other_lab" if said else "lab_missing"
                assert answer.json()["error"]["code"] == code
            elif said.get("lab") == str(other.id):
                assert f"This page is of {other}" in answer.content.decode()
    with rolled_back():
        assert write(client, place, method, route, lab=str(charlie.lab.id)).status_code != 409


@each(WRITES)
def test_who_was_put_out_of_a_lab_does_nothing_in_their_next(
    alice, charlie, both, place, route, method, needed
):
    client = browser_of(both)
    client.get(reverse("ui:home"))  # Northern lab, by the alphabet
    with scope(lab=alice.lab):
        Membership.objects.filter(id=both.membership.id).update(active=False)
    before = traces(charlie.lab)
    for lab in (alice.lab, charlie.lab):
        answer = write(client, place, method, route, lab=str(lab.id))
        assert answer.status_code == 409
        assert f"no longer a member of {alice.lab}" in answer.content.decode()
    assert traces(charlie.lab) == before


@each([entry for entry in GUARDED if entry[1] == "GET"])
def test_who_was_put_out_of_a_lab_is_told_so_and_chooses(alice, charlie, both, place, route, method, needed):
    client = browser_of(both)
    client.get(reverse("ui:home"))
    with scope(lab=alice.lab):
        Membership.objects.filter(id=both.membership.id).update(active=False)
    for path in (path_of(route, place.addresses), reverse("ui:home")):
        answer = client.get(path)
        assert answer.status_code == 409
        assert f"no longer a member of {alice.lab}" in answer.content.decode()
    assert f'name="lab" value="{charlie.lab.id}"' in answer.content.decode()
    go_to(client, charlie.lab)
    assert client.session[ACTIVE_LAB] == str(charlie.lab.id)
    assert client.get(reverse("ui:worklist")).status_code == 200


def test_a_form_of_the_other_lab_writes_once_one_has_gone_there(alice, charlie, both):
    client = browser_of(both)
    go_to(client, charlie.lab)
    form = {"accession": "N-77", "name": "Zephyrine", "in_lab": str(alice.lab.id)}
    refused = client.post(reverse("ui:new-case"), form)
    assert refused.status_code == 409
    assert not Case._base_manager.exists()
    page = refused.content.decode().partition("<main")[2]
    offered = present(re.search(r'name="lab" value="([^"]+)"', page))[1]
    client.post(reverse("ui:switch-lab"), {"lab": offered})
    assert client.post(reverse("ui:new-case"), form).status_code == 302
    assert Case._base_manager.get().lab == alice.lab


def test_a_part_of_a_page_is_not_taken_from_the_other_lab(alice, charlie, both):
    alice.case("Northern case")
    client = browser_of(both)
    go_to(client, alice.lab)
    of_the_other = {"HX-Request": "true", "X-Lab": str(charlie.lab.id)}
    answer = client.get(reverse("ui:worklist"), headers=of_the_other)
    assert answer.status_code == 409
    text = answer.content.decode()
    assert 'id="other-lab"' in text
    assert "<html" not in text
    assert "Northern case" not in text


class Forms(HTMLParser):
    """The forms of a page that post, and what its body tells scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.posted: list[dict[str, str | None]] = []
        self.body: dict[str, str | None] = {}
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "body":
            self.body = given
        elif tag == "form" or (any(name.startswith(("hx-post", "hx-put", "hx-patch")) for name in given)):
            self._inside = tag != "form" or (given.get("method") or "get").lower() == "post"
            if self._inside:
                self.posted.append({})
        elif tag == "input" and self._inside:
            self.posted[-1][given.get("name") or ""] = given.get("value")

    def handle_endtag(self, tag):
        if tag == "form":
            self._inside = False


READ = [
    route
    for route, by_method in ENDPOINTS.items()
    if "GET" in by_method and not route.startswith((API, "healthz", "readyz", "operators"))
]


def test_every_form_of_every_page_says_of_which_lab_it_is(alice, charlie, both, place):
    """Of a member with every right, staff of the installation as well."""
    user = both.membership.user
    user.is_staff = user.is_superuser = True
    user.save()
    user.authenticator_set.create(type="totp", data={"secret": seal_secret("JBSWY3DPEHPK3PXP")})
    add_unusable(alice, Case._base_manager.get(), Image.Status.FAILED)
    client = browser_of(both)
    go_to(client, alice.lab)
    pages = found = 0
    for route in READ:
        cache.clear()
        with rolled_back():
            answer = client.get(path_of(route, place.addresses))
        if answer.status_code != 200 or "text/html" not in answer.get("Content-Type", ""):
            continue
        page = Forms(answer.content.decode())
        pages += 1
        for form in page.posted:
            assert form.get("in_lab") == str(alice.lab.id), (route, form)
            found += 1
        if page.body:
            assert page.body["data-lab"] == str(alice.lab.id), route
            assert json.loads(page.body["hx-headers:inherited"] or "") == {"X-Lab": str(alice.lab.id)}
    assert pages > 25
    assert found > 80


def test_signing_in_again_goes_on_where_the_form_was(alice, charlie, both):
    """What a form posted while the sign-in was old is done after it, and not in another lab."""
    client = browser_of(both)
    go_to(client, alice.lab)
    member = alice.membership.id
    proved_who_they_are(client, both.membership.user, seconds_ago=3600)
    path = reverse("ui:member-deactivate", args=[member])
    asked = client.post(path, {"in_lab": str(alice.lab.id)})
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    go_to(client, charlie.lab)
    answer = client.post(asked["Location"], {"password": "correct horse battery staple", "next": path})
    assert answer.status_code in (302, 404, 409)
    assert Membership._base_manager.get(id=member).active
