"""Every endpoint × what nobody should send: answered as the sender's fault, never as ours.

Made from `ENDPOINTS`, so that a new endpoint is tried, too.
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

from tests.permissions.endpoints import path_of
from tests.permissions.places import Place
from tests.permissions.test_endpoints import ALL, API, each, rolled_back
from tests.support.pages import plain_static
from tests.support.people import Person, role_that_may
from webapp.labs.permissions import Permission, Role

__all__ = ["plain_static"]
pytestmark = pytest.mark.usefixtures("plain_static")

HUGE = "9" * 5000
NUL, LONE = "\0", "\ud800"


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


def asker(colleagues: dict[Role, Person], route: str, needed: object) -> Client:
    someone = colleagues[role_that_may(needed) if isinstance(needed, Permission) else Role.ADMIN]
    someone.membership.user.is_staff = True
    someone.membership.user.save()
    return someone.browser


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
    client, path = asker(colleagues, route, needed), path_of(route, place.addresses)
    found = {*faults(ask(client, method, path), route)}
    # One by one, for the first that is refused hides the others; then those that are seldom refused together.
    queries = [f"{name}=%00" for name in sorted(read)]
    if "cursor" in read:
        queries += [f"cursor={quote(text)}" for text in CURSORS.values()]
    queries += ["&".join(f"{name}={quote(value, safe='%')}" for name in sorted(read)) for value in VALUES]
    for query in queries:
        found |= {*faults(ask(client, method, f"{path}?{query}"), route)}
    assert not found


@each([entry for entry in ALL if entry[0].startswith(API) and entry[1] != "GET"])
def test_json(colleagues, place: Place, route, method, needed):
    found: set[str] = set()
    read = read_by(route, method)
    client, path = asker(colleagues, route, needed), path_of(route, place.addresses)
    bodies = [
        "[" * DEEP,
        '{"a":' * DEEP,
        '{"accession": ' + "[" * DEEP + "]" * DEEP + "}",
        HUGE,
        "NaN",
        '{"size": Infinity}',
        "1e999",
        "\ufeff{}",
        "{",
        "",
        "null",
        "[]",
        '"text"',
        "true",
        "{" + NUL + "}",
        b"\xff\xfe",
        b'{"accession": "\xff"}',
    ]
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


@each([entry for entry in ALL if entry[1] != "GET"])
def test_bodies_of_other_kinds(colleagues, place: Place, route, method, needed):
    found: set[str] = set()
    client, path = asker(colleagues, route, needed), path_of(route, place.addresses)
    part = 'Content-Disposition: form-data; name="files"; filename="{}"\r\n\r\n'
    for content_type, body in (
        ("text/plain", "words"),
        ("application/xml", "<a/>"),
        ("", "words"),
        ("nonsense", "words"),
        ("application/json; charset=hex", "{}"),
        ("application/json; charset=utf-16", "{}"),
        ("application/json; charset=idna", "{}"),
        ("application/json; charset=undefined", "{}"),
        ("application/json; charset=zip", "{}"),
        ("application/json; charset=\u00fc", "{}"),
        ("application/x-www-form-urlencoded", "a=%00&accession=%00&lab=%00&mrn=%00&name=%ff&in_lab=%00"),
        ("application/x-www-form-urlencoded; charset=utf-16", "accession=1"),
        ("application/x-www-form-urlencoded", "&".join(f"a{n}=1" for n in range(2000))),
        ("multipart/form-data", "words"),
        ("multipart/form-data; boundary=", "words"),
        ("multipart/form-data; boundary=" + "b" * 300, "words"),
        ("multipart/form-data; boundary=b", "words"),
        ("multipart/form-data; boundary=b", "--b\r\n" + part.format("a.jpg")),
        ("multipart/form-data; boundary=b", "--b\r\n" + part.format("") + "x\r\n--b--"),
        ("multipart/form-data; boundary=b", "--b\r\n" + part.format("\0.jpg") + "x\r\n--b--"),
        (
            "multipart/form-data; boundary=b",
            b"--b\r\n" + part.format("\xff").encode("latin-1") + b"x\r\n--b--",
        ),
        ("multipart/form-data; boundary=b; charset=hex", "--b\r\n" + part.format("a") + "x\r\n--b--"),
        (
            "multipart/form-data; boundary=b",
            '--b\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\n=',
        ),
    ):
        found |= {*faults(ask(client, method, path, body, content_type), route)}
    assert not found


@each(ALL)
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
        asker(colleagues, route, needed), method, path_of(route, arguments), "{}", "application/json"
    )
    assert answer.status_code < 500
