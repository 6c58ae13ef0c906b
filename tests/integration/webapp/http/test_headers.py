"""Headers of every answer, and the hosts that we answer for."""

import pytest
from django.test import Client
from django.urls import reverse

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


def test_another_host_is_not_ours(alice) -> None:
    answer = alice.browser.get(reverse("ui:worklist"), headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert b"ALLOWED_HOSTS" not in answer.content
    assert b"evil.example" not in answer.content
