"""Every endpoint × every role × own lab, other lab, nobody; by session, by token, by token with scopes.

What is expected follows from two tables alone: `ENDPOINTS` says what an endpoint needs, and
`webapp.labs.permissions` who has it.
"""

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django_scopes import scope

from tests.permissions.conftest import CASES_RUN
from tests.permissions.endpoints import (
    ASKS_AGAIN,
    BESIDES,
    ENDPOINTS,
    MEMBER,
    NOT_BY_TOKEN,
    Needed,
    Who,
    path_of,
    routes,
    takes,
)
from tests.permissions.places import KIND, SECRET, Place, its_own
from tests.support.pages import plain_static
from tests.support.people import Person, person, proved_who_they_are, role_that_may
from tests.support.present import present
from webapp.labs.models import ApiToken, Membership
from webapp.labs.permissions import IN_USE, Permission, Role, allows
from webapp.labs.tokens import issue_token
from webapp.worklist.models import SavedFilter

__all__ = ["plain_static"]
pytestmark = pytest.mark.usefixtures("plain_static")

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
API = "api/v1/"
FORM = {
    "accession": "N-1",
    "role": "pathologist",
    "email": "new@northern.example",
    "name": "A program",
    "scopes": ["use_tokens"],
    "days": "7",
    "mrn": "42",
}

ALL = [
    (route, method, needed) for route, by_method in ENDPOINTS.items() for method, needed in by_method.items()
]
GUARDED = [entry for entry in ALL if isinstance(entry[2], Permission) or entry[2] is MEMBER]
OPEN = [entry for entry in ALL if entry not in GUARDED]


def each(entries: list[tuple[str, str, Needed]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("route", "method", "needed"), entries, ids=[f"{method} {route}" for route, method, _ in entries]
    )


@dataclass
class Asker:
    """Somebody who asks, and by which means."""

    client: Client
    place: Place

    def ask(self, method: str, route: str, place: Place | None = None):
        CASES_RUN["the API" if route.startswith(API) else "pages"] += 1
        cache.clear()  # no case is refused for those before it
        path = path_of(route, (place or self.place).addresses)
        body: dict[str, object] = {} if method == "GET" else {"data": FORM}
        if route.startswith(API) and method != "GET":
            body = {"data": "{}", "content_type": "application/json"}
        with rolled_back():
            return getattr(self.client, method.lower())(path, **body)


@contextmanager
def rolled_back() -> Iterator[None]:
    """What one case did is not there for the next."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def nothing() -> Place:
    """Ids of nothing at all."""
    far = 10**9
    return Place(
        *(uuid.uuid4(), far, far, far, far, far, "hv:nothing", uuid.uuid4(), far, far, far, far),
        *(uuid.uuid4(), uuid.uuid4(), uuid.uuid4()),
        limit_id=far,
        filter_id=far,
        pk=far,
    )


def member(place: Place, someone: Person, *, route: str) -> Asker:
    """Somebody at the browser; where the page is about one's own tokens, one of theirs."""
    return Asker(someone.browser, own(place, someone, route))


def program(place: Place, someone: Person, *scopes: Permission, limited: bool = False, route: str) -> Asker:
    _, secret = issue_token(someone.membership, "test", scopes=scopes if limited else None)
    return Asker(Client(headers={"Authorization": f"Bearer {secret}"}), own(place, someone, route))


def own(place: Place, someone: Person, route: str) -> Place:
    if "lab/" in route or not re.search(":(token_id|job_id|notification_id|filter_id)>", route):
        return place
    with scope(lab=someone.lab):
        token = ApiToken.objects.filter(membership=someone.membership).first()
        job, notification = its_own(someone)
        saved, _ = SavedFilter.objects.get_or_create(
            membership=someone.membership, name="tests", defaults={"query": {}}
        )
    place = replace(place, job_id=job.id, notification_id=notification.id, filter_id=saved.pk)
    return replace(place, token_id=present(token).id)


def may(role: Role, needed: Needed) -> bool:
    return needed is MEMBER or (isinstance(needed, Permission) and allows(role, needed))


def assert_allowed(response):
    """What comes back may complain of an empty form, but not of who asks."""
    assert response.status_code not in (401, 403, 404, 405, 429), response.content[:300]
    assert response.status_code < 500
    if response.status_code == 302:
        assert not response.url.startswith((reverse("account_login"), reverse("mfa_index")))


def assert_needs_a_person(response):
    """A token does not show who is there, whatever it may do."""
    assert (response.status_code, response.json()["error"]["code"]) == (403, "not_by_token")


def assert_refused(response, route):
    assert response.status_code == 403
    if route.startswith(API):
        assert response.json()["error"]["code"] == "permission_denied"
    else:
        assert b"not for your role" in response.content
    assert SECRET not in response.content.decode()


def text_of(response) -> str:
    whole: bytes = response.getvalue() if response.streaming else response.content
    return whole.decode()


def plain(response) -> tuple[int, str]:
    """An answer without what differs at each request: the CSRF tokens of its forms."""
    return response.status_code, re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text_of(response))


def test_every_route_of_the_urlconf_is_in_the_table_and_no_other():
    assert {route for route, _ in routes() if not route.startswith("admin/")} == set(ENDPOINTS)


def test_every_permission_opens_something_or_is_said_to_come():
    """What the first address asks for leaves PLANNED with it, or that address is shut to everybody."""
    asked_for = {needed for _, _, needed in ALL if isinstance(needed, Permission)}
    assert asked_for | set(BESIDES) == set(IN_USE)


def test_the_installation_s_admin_is_for_nobody_of_a_lab(colleagues, place):
    asker = Asker(colleagues[Role.ADMIN].browser, place)
    for route, _ in routes():
        if route.startswith("admin/") and not takes(route) and "jsi18n" not in route:
            answer = asker.ask("GET", route)
            assert answer.status_code in (302, 403, 404) or b"log in" in answer.content.lower(), route


def test_views_ask_for_what_the_table_says():
    for route, pattern in routes():
        view = getattr(pattern.callback, "view_class", None)
        if view and hasattr(view, "needs"):
            said = {m: n for m, n in ENDPOINTS[route].items() if isinstance(n, Permission)}
            assert view.needs == said, route
        elif hasattr(pattern.callback, "needs"):
            needed = pattern.callback.needs
            assert set(ENDPOINTS[route].values()) == {MEMBER if needed is None else needed}, route


@each(GUARDED)
def test_roles_in_their_own_lab(colleagues, place, route, method, needed):
    for role in Role:
        someone = colleagues[role]
        askers = [member(place, someone, route=route)]
        if route.startswith(API):
            token = program(place, someone, route=route)
            if allows(role, Permission.USE_TOKENS):
                askers.append(token)
            else:
                assert token.ask(method, route).status_code == 401
        for asker in askers:
            response = asker.ask(method, route)
            if needed is MEMBER and route.endswith("/result/") and not allows(role, KIND.needs):
                assert response.status_code == 404  # what a job made is for whoever may start such a job
            elif may(role, needed) and asker is not askers[0] and route in NOT_BY_TOKEN:
                assert_needs_a_person(response)
            elif may(role, needed):
                assert_allowed(response)
            else:
                assert_refused(response, route)


@each([entry for entry in GUARDED if entry[0].startswith(API)])
def test_tokens_do_what_their_scopes_say_and_their_owner_may(colleagues, place, route, method, needed):
    for role in Role:
        someone = colleagues[role]
        if not allows(role, Permission.USE_TOKENS):
            continue  # theirs are shut: `test_roles_in_their_own_lab`
        within = program(place, someone, needed, limited=True, route=route).ask(method, route)
        if allows(role, needed) and route in NOT_BY_TOKEN:
            assert_needs_a_person(within)
        elif allows(role, needed):
            assert_allowed(within)
        else:
            assert_refused(within, route)
        others = [permission for permission in IN_USE if permission != needed]
        assert_refused(program(place, someone, *others, limited=True, route=route).ask(method, route), route)


@each(GUARDED)
def test_another_labs_things_are_as_if_they_were_not_there(charlie, place, nothing, route, method, needed):
    """Somebody with every right in a lab of their own does not tell them from what is not there."""
    stranger = charlie
    if needed is not MEMBER and not allows(Role.ADMIN, needed):
        stranger = person(charlie.lab, "Somebody", role_that_may(needed))
    askers = [Asker(stranger.browser, place)]
    if route.startswith(API):
        askers.append(Asker(stranger.api, place))
    for asker in askers:
        response = asker.ask(method, route)
        if takes(route):
            assert plain(response) == plain(asker.ask(method, route, nothing))
            assert response.status_code in (400, 404, 415)
        text = text_of(asker.ask(method, route))
        for secret in (SECRET, str(place.case_id), "northern.example"):
            assert secret not in text


@each(GUARDED)
def test_nobody_gets_in(place, nothing, route, method, needed):
    for headers in ({}, {"Authorization": "Bearer hv_made-up"}):
        asker = Asker(Client(headers=headers), place)
        response = asker.ask(method, route)
        if route.startswith(API) or headers:
            assert response.status_code == 401
            assert "error" in response.json()
            assert plain(response) == plain(asker.ask(method, route, nothing))
        else:
            assert response.status_code == 302
            assert response.url == f"{reverse('account_login')}?next={path_of(route, place.addresses)}"


@each(GUARDED)
def test_deactivated_members_are_out(alice, colleagues, place, route, method, needed):
    someone = colleagues[Role.ADMIN]
    askers = [member(place, someone, route=route), program(place, someone, route=route)]
    with scope(lab=alice.lab):
        Membership.objects.filter(id=someone.membership.id).update(active=False)
    browser, token = askers
    assert browser.ask(method, route).status_code == 403
    assert token.ask(method, route).status_code == 401


@each(GUARDED)
def test_without_the_second_factor_that_the_lab_asks_for_nothing_opens(
    alice, colleagues, place, route, method, needed
):
    someone = colleagues[Role.ADMIN]
    askers = [member(place, someone, route=route), program(place, someone, route=route)]
    alice.lab.second_factor_roles = [Role.ADMIN.value]
    alice.lab.save()
    browser, token = (asker.ask(method, route) for asker in askers)
    assert token.json()["error"]["code"] == "second_factor_needed"
    if route.startswith(API):
        assert (browser.status_code, browser.json()["error"]["code"]) == (403, "second_factor_needed")
    else:
        assert (browser.status_code, browser.url) == (302, reverse("mfa_index"))


@each(OPEN)
def test_what_needs_no_permission_is_the_same_for_all_roles(colleagues, place, route, method, needed):
    askers = (member(place, one, route=route) for one in colleagues.values())
    answers = {asker.ask(method, route).status_code for asker in askers}
    if route == "":
        assert answers <= {200, 302}  # those who see cases are led to them
    elif route == "lab/" or needed is Who.STAFF:
        assert answers == {403}  # the form named no lab of theirs; a role makes nobody staff
    else:
        assert len(answers) == 1
        assert answers & {403, 500} == set()


@each(OPEN)
def test_nobody_at_what_needs_no_permission(place, route, method, needed):
    response = Asker(Client(), place).ask(method, route)
    assert response.status_code < 500
    if needed in (Who.SIGNED_IN, Who.STAFF):
        assert response.status_code == 302
        assert response.url.startswith(reverse("account_login"))
    assert SECRET not in response.content.decode()


@pytest.mark.parametrize("route", ENDPOINTS)
def test_other_methods_are_refused(colleagues, place, route):
    admin = member(place, colleagues[Role.ADMIN], route=route)
    if route in ("healthz", "readyz") or route.startswith("accounts/"):
        return  # they read nothing of a lab, whatever the method
    for method in set(METHODS) - set(ENDPOINTS[route]):
        assert admin.ask(method, route).status_code in (403, 405), method


@pytest.mark.parametrize("route", sorted(ASKS_AGAIN))
def test_grave_changes_ask_again_who_is_there(colleagues, place, route):
    needed = ENDPOINTS[route]["POST"]
    who = colleagues[role_that_may(needed) if isinstance(needed, Permission) else Role.ADMIN]
    asker = member(place, who, route=route)
    proved_who_they_are(asker.client, who.membership.user, seconds_ago=3600)
    response = asker.ask("POST", route)
    assert response.status_code == 302
    assert response.url.startswith(reverse("account_reauthenticate"))


def test_session_writes_need_the_csrf_token(alice, place):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice.membership.user)
    for route, by_method in ENDPOINTS.items():
        if "POST" in by_method and not route.startswith("accounts/") and route != f"{API}tokens/":
            response = browser.post(path_of(route, place.addresses), json.dumps({}), "application/json")
            assert response.status_code in (302, 403), route
            if response.status_code == 302:
                assert by_method["POST"] in Who
