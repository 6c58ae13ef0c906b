"""HTTPS behind a proxy, and without one."""

import pytest
from django.test import Client
from django.urls import reverse

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static")]


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
