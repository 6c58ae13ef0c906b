"""What the web answers to those who try it: headers, hosts, redirects, sizes, errors."""

import json
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings as django_settings
from django.shortcuts import resolve_url
from django.test import Client
from django.urls import reverse

from tests.support.pages import add_cells, plain_static
from tests.support.people import PASSWORD
from tests.support.present import present
from webapp.cases import selectors
from webapp.storage import objects

__all__ = ["plain_static"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static")]

ANSWERS = ["/healthz", "/api/v1/cases/", "/api/v1/docs/", "/api/v1/docs/?script=", "/nowhere", "/sign-in/"]


@pytest.mark.parametrize("path", ANSWERS)
def test_every_answer_carries_the_headers(path: str) -> None:
    headers = Client().get(path, follow=True).headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "no-store" in headers["Cache-Control"]
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_the_page_of_the_api_has_no_inline_script_or_style() -> None:
    page = Client().get("/api/v1/docs/").content.decode()
    assert page.count("<script") == page.count("<script src=") == 3
    assert "<style" not in page


def test_patients_pages_stay_in_nobodys_cache(alice) -> None:
    assert "no-store" in alice.browser.get(reverse("ui:cases")).headers["Cache-Control"]


def test_where_a_picture_lies_is_asked_anew_each_time_and_it_is_kept_for_minutes(alice, settings) -> None:
    case = alice.case()
    (image,) = add_cells(alice, case, "neutrophil", 0.9)
    pictures = [
        reverse("api:picture", args=[image.id]),
        reverse("ui:sheet", args=[case.id, image.chunk_id]),
    ]
    for path in pictures:
        answers = [alice.browser.get(path) for _ in range(2)]
        assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}
        asked = parse_qs(urlsplit(answers[0]["Location"]).query)
        assert asked["response-cache-control"] == [f"private, max-age={settings.DOWNLOAD_KEPT_SECONDS}"]
        assert int(asked["X-Amz-Expires"][0]) <= 900
    overlay = alice.browser.get(reverse("api:evidence", args=[image.id])).headers
    assert overlay["Cache-Control"] == f"private, max-age={settings.DOWNLOAD_KEPT_SECONDS}"
    assert "Cookie" in overlay["Vary"]


def test_a_link_stays_the_same_for_minutes_so_that_a_gallery_is_not_fetched_again(alice, monkeypatch) -> None:
    links, kept = [], django_settings.DOWNLOAD_KEPT_SECONDS
    for seconds in (0, kept - 1, kept):
        monkeypatch.setattr(time, "time", lambda seconds=seconds: 1_800_000_000 + seconds)
        links.append(objects.download_url("a key/ü.jpg", "image/jpeg", version="1"))
    assert links[0] == links[1] != links[2]


def test_signing_out_empties_the_browsers_cache(alice) -> None:
    browser = alice.browser
    assert "Clear-Site-Data" not in browser.get(reverse("ui:cases")).headers
    assert browser.post(reverse("account_logout")).headers["Clear-Site-Data"] == '"cache"'


def test_another_host_is_not_ours(alice) -> None:
    answer = alice.browser.get(reverse("ui:cases"), headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert b"ALLOWED_HOSTS" not in answer.content
    assert b"evil.example" not in answer.content


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_signing_in_leads_nowhere_else(alice, elsewhere: str) -> None:
    browser = Client()
    form = {
        "username": alice.membership.user.email,
        "login": alice.membership.user.email,
        "password": PASSWORD,
    }
    answer = browser.post(f"{resolve_url(django_settings.LOGIN_URL)}", {**form, "next": elsewhere})
    assert answer.status_code == 302
    assert "evil" not in answer["Location"]
    assert answer["Location"].startswith("/")


def test_a_token_does_not_borrow_the_session_it_comes_with(alice, charlie) -> None:
    """Pages that ask for a fresh sign-in would take that of the thief of a token."""
    stolen = {"Authorization": f"Bearer {charlie.token}"}
    answer = alice.browser.get(reverse("ui:cases"), headers=stolen)
    assert answer["Location"].startswith(resolve_url(django_settings.LOGIN_URL))


def test_a_session_that_somebody_else_began_is_not_kept(alice) -> None:
    browser = Client()
    browser.get(reverse("ui:home"))
    session = browser.session
    session["planted"] = True
    session.save()
    before = present(session.session_key)
    browser.cookies[django_settings.SESSION_COOKIE_NAME] = before
    browser.login(email=alice.membership.user.email, password=PASSWORD)
    assert browser.session.session_key != before


def test_a_body_beyond_the_limit_is_refused(alice) -> None:
    large = json.dumps({"accession": "A" * django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE})
    answer = alice.api.post("/api/v1/cases/", large, content_type="application/json")
    assert answer.status_code in (400, 413)


def test_a_form_of_too_many_fields_is_refused(alice) -> None:
    fields = {f"field{n}": "x" for n in range(django_settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)}
    assert alice.browser.post(reverse("ui:new-case"), fields).status_code == 400


@pytest.mark.parametrize("page", [True, False], ids=["page", "api"])
def test_errors_tell_nothing_of_our_insides(alice, monkeypatch, page: bool) -> None:
    def fail() -> None:
        raise RuntimeError("secret-word in /srv/hematovision")

    monkeypatch.setattr(selectors, "cases", fail)
    client = alice.browser if page else alice.api
    client.raise_request_exception = False
    answer = client.get(reverse("ui:cases") if page else "/api/v1/cases/")
    assert answer.status_code == 500
    for word in (b"secret-word", b"/srv", b"RuntimeError", b"Traceback"):
        assert word not in answer.content


class TestBehindAProxy:
    @pytest.fixture(autouse=True)
    def _https(self, settings) -> None:
        settings.SECURE_SSL_REDIRECT = True
        settings.SECURE_HSTS_SECONDS = 1000

    def test_plain_text_is_sent_on_but_for_probes(self) -> None:
        answer = Client().get(reverse("ui:home"))
        assert (answer.status_code, answer["Location"]) == (301, f"https://testserver{reverse('ui:home')}")
        assert Client().get("/healthz").status_code == 200

    def test_nobody_can_claim_https_without_a_proxy(self) -> None:
        claim = {"X-Forwarded-Proto": "https"}
        assert Client().get("/nowhere", headers=claim).status_code == 301

    def test_a_proxy_can(self, settings) -> None:
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
        answer = Client().get("/nowhere", headers={"X-Forwarded-Proto": "https"})
        assert answer.status_code == 404
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=1000")
