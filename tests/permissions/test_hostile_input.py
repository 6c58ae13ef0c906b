"""Every endpoint × what nobody should send: answered as the sender's fault, never as ours.

Made from `ENDPOINTS`, so that a new endpoint is tried, too. What is refused before a request comes to the
code of its endpoint is tried at one endpoint for each way in, and at each that has a way of its own.
"""

import base64
import json
import re
from functools import cache as cache_for_ever
from typing import ClassVar
from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.core.handlers import wsgi
from django.http import QueryDict
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from tests.permissions.endpoints import MEMBER, Needed, path_of, way_in
from tests.permissions.places import Place
from tests.permissions.test_endpoints import ALL, API, each, own, rolled_back
from tests.support.pages import plain_static
from tests.support.people import Person, role_that_may
from webapp.labs.permissions import Permission, Role

__all__ = ["plain_static"]
pytestmark = pytest.mark.usefixtures("plain_static")

HUGE = "9" * 5000
NUL, LONE = "\0", "\ud800"
WRITE = [entry for entry in ALL if entry[1] != "GET"]


def cursor(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


CURSORS = {
    "no base64": "%%%",
    "not ASCII": "ü",
    "bytes": cursor(b"\xff\xfe\0"),
    "empty": "",
    "no position": cursor("p="),
    "words": cursor("p=nothing"),
    "NUL": cursor("p=%00"),
    "huge": cursor(f"p={HUGE}"),
    "large": cursor(f"p={10**30}"),
    "infinite": cursor("p=1e999"),
    "NaN": cursor("p=nan"),
    "a time": cursor("p=2026-01-01T00:00:00Z"),
    "a time without a zone": cursor("p=2026-01-01 00:00:00"),
    "no such day": cursor("p=2026-02-30T00:00:00Z"),
    "the first second": cursor("p=0001-01-01T00:00:00%2B14:00"),
    "the last second": cursor("p=9999-12-31T23:59:59-14:00"),
    "an offset": cursor("o=999999&p=5"),
    "a huge offset": cursor(f"o={HUGE}"),
    "backwards": cursor("r=1&p=nothing"),
    "a surrogate": cursor("p=%ed%a0%80"),
}
VALUES = ("%00", "%ff", HUGE, str(10**30), "9999-12-31", "[]")
DEEP = 100_000
NO_JSON = (
    "[" * DEEP,
    '{"a":' * DEEP,
    '{"accession": ' + "[" * DEEP + "]" * DEEP + "}",
    HUGE,
    "NaN",
    '{"size": Infinity}',
    "\ufeff{}",
    "{",
    "{" + NUL + "}",
    b"\xff\xfe",
    b'{"accession": "\xff"}',
)
NO_OBJECTS = ("1e999", "", "null", "[]", '"text"', "true")
PART = 'Content-Disposition: form-data; name="files"; filename="{}"\r\n\r\n'
OF_OTHER_KINDS = (
    ("application/xml", "<a/>"),
    ("", "words"),
    ("nonsense", "words"),
    ("application/json; charset=hex", "{}"),
    ("application/json; charset=utf-16", "{}"),
    ("application/json; charset=idna", "{}"),
    ("application/json; charset=undefined", "{}"),
    ("application/json; charset=zip", "{}"),
    ("application/json; charset=\u00fc", "{}"),
    ("application/x-www-form-urlencoded; charset=utf-16", "accession=1"),
    ("application/x-www-form-urlencoded", "&".join(f"a{n}=1" for n in range(2000))),
    ("multipart/form-data", "words"),
    ("multipart/form-data; boundary=", "words"),
    ("multipart/form-data; boundary=" + "b" * 300, "words"),
    ("multipart/form-data; boundary=b", "words"),
    ("multipart/form-data; boundary=b", "--b\r\n" + PART.format("a.jpg")),
    ("multipart/form-data; boundary=b", "--b\r\n" + PART.format("") + "x\r\n--b--"),
    ("multipart/form-data; boundary=b", "--b\r\n" + PART.format("\0.jpg") + "x\r\n--b--"),
    ("multipart/form-data; boundary=b", b"--b\r\n" + PART.format("\xff").encode("latin-1") + b"x\r\n--b--"),
    ("multipart/form-data; boundary=b; charset=hex", "--b\r\n" + PART.format("a") + "x\r\n--b--"),
    (
        "multipart/form-data; boundary=b",
        '--b\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\n=',
    ),
)
NULS = "a=%00&accession=%00&lab=%00&mrn=%00&name=%ff&in_lab=%00"
PAGE = "11111111-1111-4111-8111-111111111111"
PATIENT = ("name", "mrn", "birth_date", "sex", "notes")


@cache_for_ever
def described() -> dict[tuple[str, str], frozenset[str]]:
    """What each endpoint reads of a body, by OpenAPI: (route without converters, method) → names."""
    schema = SchemaGenerator().get_schema(public=True)
    components = schema["components"]["schemas"]
    found = {}
    for path, by_method in schema["paths"].items():
        for method, operation in by_method.items():
            media = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            named = media.get("schema", {}).get("$ref", "").rpartition("/")[2]
            found[path.lstrip("/"), method.upper()] = frozenset(
                components.get(named, {}).get("properties", ())
            )
    return found


def read_by(route: str, method: str) -> frozenset[str]:
    return described()[re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route), method]


def one_for_each_way_in(entries: list[tuple[str, str, Needed]]) -> list[tuple[str, str, Needed]]:
    """Of the endpoints of a lab one for each way in, method, and whether it reads a body; all of the others,
    whose views are not all ours."""
    first: dict[object, tuple[str, str, Needed]] = {}
    for entry in entries:
        route, method, needed = entry
        if isinstance(needed, Permission) or needed is MEMBER:
            reads = route.startswith(API) and method != "GET" and bool(read_by(route, method))
            first.setdefault((way_in(route), method, reads), entry)
        else:
            first[route, method] = entry
    return list(first.values())


def asker(colleagues: dict[Role, Person], needed: object) -> Person:
    someone = colleagues[role_that_may(needed) if isinstance(needed, Permission) else Role.ADMIN]
    someone.membership.user.is_staff = True
    someone.membership.user.save()
    return someone


def at(route: str, needed: object, colleagues: dict[Role, Person], place: Place) -> tuple[Client, str]:
    """The browser of somebody who may, and the address of what is there, and theirs."""
    someone = asker(colleagues, needed)
    return someone.browser, path_of(route, own(place, someone, route).addresses)


def faults(answer, route: str) -> list[str]:
    """What is wrong with the answer, besides what was sent."""
    if answer.status_code >= 500:
        return [repr(getattr(answer, "exc_info", answer)[1])[:200]]
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    if answer.status_code >= 400 and is_json and route.startswith(API) and set(answer.json()) != {"error"}:
        return [answer.content.decode()[:200]]
    return []


def ask(client: Client, method: str, path: str, body: object = b"", content_type: str = "", **more):
    cache.clear()
    client.raise_request_exception = False
    with rolled_back():
        answer = client.generic(method, path, body, content_type=content_type, **more)
        if answer.streaming:
            answer.getvalue()
        return answer


class Watched(QueryDict):
    """A query that notes what is read of it."""

    read: ClassVar[set[str]] = set()

    def __getitem__(self, name):
        self.read.add(name)
        return super().__getitem__(name)

    def __contains__(self, name):
        self.read.add(name)
        return super().__contains__(name)

    def getlist(self, name, default=None):
        self.read.add(name)
        return super().getlist(name, default)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What was read of queries since the test began."""
    monkeypatch.setattr(wsgi, "QueryDict", Watched)
    Watched.read.clear()
    return Watched.read


@each([entry for entry in ALL if entry[1] == "GET"])
def test_queries(colleagues, place: Place, read: set[str], route, method, needed):
    client, path = at(route, needed, colleagues, place)
    found = {*faults(ask(client, method, path), route)}
    # One by one, for the first that is refused hides the others; then those that are seldom refused together.
    queries = [f"{name}=%00" for name in sorted(read)]
    if "cursor" in read:
        queries += [f"cursor={quote(text)}" for text in CURSORS.values()]
    queries += ["&".join(f"{name}={quote(value, safe='%')}" for name in sorted(read)) for value in VALUES]
    for query in queries:
        found |= {*faults(ask(client, method, f"{path}?{query}"), route)}
    assert not found


@each([entry for entry in WRITE if entry[0].startswith(API)])
def test_json(colleagues, place: Place, route, method, needed):
    found: set[str] = set()
    read = read_by(route, method)
    client, path = at(route, needed, colleagues, place)
    bodies: list[str] = [*NO_OBJECTS]
    fill = {"email": "a@b.example", "password": "x", "accession": "N-1", "ids": [1], "mrn": "1"}
    values: list[object] = [NUL, LONE, 10**4000, 10**30, 1e300, True, None]
    for value in (*values, [], {}, [LONE], [10**30], [{}]):
        # One by one, for the first that is refused hides the others; what it does not read, at once.
        bodies += [json.dumps({**fill, name: value}) for name in read]
        bodies.append(json.dumps(dict.fromkeys(frozenset().union(*described().values()) - read, value)))
        if "patient" in read:
            bodies += [json.dumps({"accession": "N-1", "patient": {name: value}}) for name in PATIENT]
        if "decisions" in read:
            gesture = {"gesture": PAGE, "client": PAGE, "base_revision": 0}
            for decision in ({"cell": value}, {"class": value}, {"words": value}):
                chosen = {"cell": place.cell_id, "class": "other", **decision}
                bodies.append(json.dumps({**gesture, "decisions": [chosen]}))
            bodies.append(json.dumps({**gesture, "confirm": [value]}))
            bodies.append(json.dumps({**gesture, "confirm": [place.cell_id], "seen": [value]}))
            bodies.append(json.dumps({**gesture, "undo": value}))
        if "files" in read:
            bodies.append(json.dumps({"files": [{"name": value, "size": 1}]}))
            bodies.append(json.dumps({"files": [{"name": "a.jpg", "size": value}]}))
    for body in bodies:
        found |= {*faults(ask(client, method, path, body, "application/json"), route)}
    assert not found


# `BoundedJSONParser` refuses it, wherever a view asks for `request.data`.
@each(one_for_each_way_in([entry for entry in WRITE if entry[0].startswith(API)]))
def test_what_is_no_json(colleagues, place: Place, route, method, needed):
    client, path = at(route, needed, colleagues, place)
    answers = [ask(client, method, path, body, "application/json") for body in NO_JSON]
    assert not {fault for answer in answers for fault in faults(answer, route)}
    if read_by(route, method):
        assert {answer.status_code for answer in answers} <= {400, 415}


@each(WRITE)
def test_forms(colleagues, place: Place, route, method, needed):
    """One without a field, one with fields that no column takes: no endpoint that reads JSON takes them."""
    client, path = at(route, needed, colleagues, place)
    without = ask(client, method, path, "words", "text/plain")
    filled = ask(client, method, path, NULS, "application/x-www-form-urlencoded")
    assert not faults(without, route) + faults(filled, route)
    if route.startswith(API) and read_by(route, method):
        assert (without.status_code, filled.status_code) == (415, 415)


# REST framework's parsers refuse them, wherever a view asks for `request.data`; of a page, Django does where
# `needs` looks for the lab in `request.POST`, or leaves a form without fields. No page of ours has files.
@each(one_for_each_way_in(WRITE))
def test_bodies_of_other_kinds(colleagues, place: Place, route, method, needed):
    found: set[str] = set()
    client, path = at(route, needed, colleagues, place)
    for content_type, body in OF_OTHER_KINDS:
        found |= {*faults(ask(client, method, path, body, content_type), route)}
    assert not found


# Nobody signs in: `test_nobody_gets_in` shows that no endpoint of a lab comes to its own code.
@each(one_for_each_way_in(ALL))
def test_headers_and_cookies(place: Place, route, method, needed):
    found: set[str] = set()
    path = path_of(route, place.addresses)
    for headers in (
        {"Cookie": 'sessionid="aaaaaaaa\\000"'},
        {"Cookie": 'sessionid="\\377aaaaaaa"; csrftoken="\\000"; messages="\\000"'},
        {"Authorization": "Bearer \xff\xfe"},
        {"Authorization": "Bearer hv_\0"},
        {"Authorization": "Basic ====", "X-Lab": "\xff"},
        {"Accept": "\xff/\0", "Accept-Language": "\0", "If-None-Match": '"\0', "Range": "bytes=9-1"},
        {"X-Request-ID": "\0\n", "HX-Request": "true", "HX-Current-URL": "http://[::1", "traceparent": "\0"},
    ):
        found |= {*faults(ask(Client(), method, path, "{}", "application/json", headers=headers), route)}
    assert not found


@pytest.mark.parametrize("number", [HUGE, 2**63, 10**30, "0", "00", "%00", "-1", "%D9%A3"])
@each([entry for entry in ALL if "<int:" in entry[0]])
def test_numbers_in_addresses(colleagues, place: Place, route, method, needed, number):
    arguments = {name: number if name != "case_id" else value for name, value in place.addresses.items()}
    answer = ask(
        asker(colleagues, needed).browser, method, path_of(route, arguments), "{}", "application/json"
    )
    assert answer.status_code < 500
