"""A token for a password, by the API."""

import pytest
from allauth.account.models import EmailAddress

from tests.support import second_factor
from tests.support.people import PASSWORD, Api

pytestmark = pytest.mark.usefixtures("fresh_rates")


def test_password_for_token(alice, charlie):
    body = {"email": alice.membership.user.email.upper(), "password": PASSWORD}
    made = Api().send("/tokens/", body)
    assert made.status_code == 201
    assert made.json()["lab"] == alice.lab.name
    fresh = Api(headers={"Authorization": f"Bearer {made.json()['token']}"})
    assert fresh.read("/cases/").status_code == 200
    wrong = Api().send("/tokens/", {**body, "password": "wrong"})
    assert wrong.status_code == 401
    elsewhere = Api().send("/tokens/", {**body, "lab": str(charlie.lab.id)})
    assert elsewhere.status_code == 400
    assert "Southern" not in elsewhere.content.decode()


def test_a_token_asks_for_the_second_factor_too(alice, with_app):
    secret, codes = with_app
    body = {"email": alice.membership.user.email, "password": PASSWORD}

    def answer(**more):
        return alice.api.send("/tokens/", {**body, **more})

    assert answer().json()["error"]["code"] == "second_factor_needed"
    assert answer(password="wrong", code=codes[0]).json()["error"]["code"] == "wrong_credentials"
    assert answer(code="000000").json()["error"]["code"] == "second_factor_wrong"
    assert answer(code=second_factor.code(secret)).status_code == 201
    assert answer(code=codes[0]).status_code == 201
    assert answer(code=codes[0]).status_code == 401


def test_a_token_is_not_had_by_guessing_codes(alice, with_app):
    secret, _ = with_app
    body = {"email": alice.membership.user.email, "password": PASSWORD}
    for number in range(5):
        alice.api.send("/tokens/", {**body, "code": f"00000{number}"})
    assert alice.api.send("/tokens/", {**body, "code": second_factor.code(secret)}).status_code == 429


def test_a_token_needs_a_proved_address(alice):
    EmailAddress.objects.update(verified=False)
    body = {"email": alice.membership.user.email, "password": PASSWORD}
    assert alice.api.send("/tokens/", body).json()["error"]["code"] == "email_not_verified"
