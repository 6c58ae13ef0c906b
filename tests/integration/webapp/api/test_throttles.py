"""How often the API may be asked."""

import json

import pytest
from django.test import Client

pytestmark = pytest.mark.usefixtures("fresh_rates")


def test_sign_in_is_throttled_whatever_headers_say(alice):
    body = {"email": alice.membership.user.email, "password": "wrong"}
    answers = [
        alice.api.post(
            "/api/v1/tokens/",
            json.dumps(body),
            content_type="application/json",
            headers={"X-Forwarded-For": f"10.0.0.{number}"},
        ).status_code
        for number in range(6)
    ]
    assert set(answers[:5]) == {401}
    assert answers[5] == 429
    page = Client().post("/accounts/login/", {"login": body["email"], "password": "wrong"})
    assert "Too many attempts" in page.content.decode()
