"""Every page and message in a language of ⟦brackets⟧: what stands outside is data, or was forgotten."""

import re

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.cache import cache
from django.test import Client

from tests.permissions.endpoints import ENDPOINTS, MEMBER, SIGNED_IN, STAFF, Needed, path_of
from tests.permissions.places import Place
from tests.permissions.test_endpoints import API, FORM, own, rolled_back
from tests.support.bracketed import bracketed, outside, outside_of_page
from tests.support.pages import add_cells, add_unusable, plain_static
from tests.support.people import Person, proved_who_they_are
from webapp.accounts.models import User
from webapp.cases.models import Case, Image
from webapp.labs.permissions import Permission, Role, allows

__all__ = ["bracketed", "plain_static"]
pytestmark = pytest.mark.usefixtures("plain_static")

# What the tests put there, and names of others.
DATA = re.compile(
    "|".join(
        [
            r"(?:Northern|Southern) lab",
            r"Operator|Alice|Charlie|Somebody|Some\.\w+|[\w.+-]+@[\w.-]+",
            r"A blast|A-secret|A-1|N-1|S-1|Imaginary|Tried|A program|tests?|of-another-release",
            r"[\w-]+\.(?:jpg|png)",
            r"hv_\S+|[0-9a-f]{8}-[0-9a-f-]{27}|user \d+|case [0-9a-f-]+",
            r"https?://\S+|HematoVision|localhost|127\.0\.0\.1",
            r"Google|testserver",
            r"hematovision \d|Severe leukopenia: no more are on the slide\.|A reason\.",
        ]
    )
)
NO_PAGES = re.compile(
    r"(healthz|readyz|operators/|.*\.(js|jpg|csv|jsonl)|.*/result/|.*/download/|accounts/oidc/.*)$"
)
PAGES = [
    (route, method, needed)
    for route, by_method in ENDPOINTS.items()
    if not route.startswith(API) and not NO_PAGES.match(route)
    for method, needed in by_method.items()
]


def operator() -> Client:
    """Of somebody who runs the installation."""
    user = User.objects.create_superuser("operator@northern.example", name="Operator")
    Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data={})
    client = Client()
    client.force_login(user)
    proved_who_they_are(client, user)
    return client


def browsers(
    colleagues: dict[Role, Person], place: Place, needed: Needed, route: str
) -> list[tuple[Client, Place]]:
    """Of somebody who may, and of nobody where nobody has to be there."""
    if needed is STAFF:
        return [(operator(), place)]
    role = Role.ADMIN
    if isinstance(needed, Permission) and not allows(role, needed):
        role = next(one for one in Role if allows(one, needed))
    someone = [(colleagues[role].browser, own(place, colleagues[role], route))]
    return (
        someone
        if isinstance(needed, Permission) or needed in (MEMBER, SIGNED_IN)
        else [*someone, (Client(), place)]
    )


@pytest.fixture
def whole(alice: Person, place: Place) -> Place:
    """A case with one of everything that its page can show."""
    case = Case._base_manager.get(id=place.case_id)
    add_cells(alice, case, "neutrophil", 0.4, flagged=True)
    add_cells(alice, case, "lymphocyte", 0.3, flagged=True, distance=1.7)
    add_unusable(alice, case, Image.Status.REFUSED, 2)
    add_unusable(alice, case, Image.Status.FAILED)
    return place


@pytest.mark.parametrize(
    ("route", "method", "needed"), PAGES, ids=[f"{method} {route}" for route, method, _ in PAGES]
)
def test_no_word_of_a_page_is_unmarked(colleagues, whole, bracketed, route, method, needed):
    mail.outbox.clear()
    for client, its_own in browsers(colleagues, whole, needed, route):
        cache.clear()
        with rolled_back():
            path = path_of(route, its_own.addresses)
            answer = (
                client.get(path, follow=True) if method == "GET" else client.post(path, FORM, follow=True)
            )
        assert answer.status_code < 500
        if "html" in answer.headers.get("Content-Type", ""):
            assert outside_of_page(answer.content.decode(), DATA) == []
    for message in mail.outbox:
        assert outside(f"{message.subject}\n{message.body}", DATA) == []


@pytest.mark.parametrize("path", ["/nothing/", "/status/", "/invitations/made-up/"])
def test_nor_of_those_that_are_at_no_route(colleagues, bracketed, path):
    for client in (Client(), colleagues[Role.ADMIN].browser):
        assert outside_of_page(client.get(path).content.decode(), DATA) == []


def test_what_is_outside_of_brackets_is_found():
    page = '<title>⟦Cases⟧</title><p title="Not marked">⟦Sign in to <a title="in it">⟦Northern⟧</a>⟧ now</p>'
    assert outside_of_page(page, re.compile("Alice")) == ["now", "title=Not marked"]
