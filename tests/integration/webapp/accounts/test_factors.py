"""A second factor: asked for, counted, and not gone round."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.support import second_factor
from tests.support.accounts import done_by, is_in, mailed_code, sign_in
from tests.support.people import proved_who_they_are

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static", "fresh_rates")]


def second_step(browser: Client, code: str) -> bool:
    browser.post(reverse("mfa_authenticate"), {"code": code})
    return is_in(browser)


@pytest.mark.django_db(transaction=True)  # sessions end once the factor is there for good
def test_a_new_factor_ends_sessions_begun_without_it(alice):
    user, here, there = alice.membership.user, Client(), Client()
    for browser in (here, there):
        sign_in(browser, user.email)
        browser.get("/")
    activate = reverse("mfa_activate_totp")
    secret = here.get(activate).context["form"].secret
    here.post(activate, {"code": second_factor.code(secret)})
    assert (is_in(here), is_in(there)) == (True, False)
    assert "account.sessions_ended" in done_by(user)


def test_the_password_alone_is_not_enough(alice, with_app):
    secret, _ = with_app
    browser = Client()
    assert sign_in(browser, alice.membership.user.email).url == reverse("mfa_authenticate")
    assert not is_in(browser)
    assert not second_step(browser, "000000")
    assert second_step(browser, second_factor.code(secret))


def test_a_code_serves_once(alice, with_app):
    secret, _ = with_app
    for expected in (True, False):
        browser = Client()
        sign_in(browser, alice.membership.user.email)
        assert second_step(browser, second_factor.code(secret)) is expected


def test_a_recovery_code_serves_once(alice, with_app):
    _, codes = with_app
    for expected in (True, False):
        browser = Client()
        sign_in(browser, alice.membership.user.email)
        assert second_step(browser, codes[0]) is expected
    assert done_by(alice.membership.user).count("account.recovery_code_used") == 1


def test_codes_are_not_guessed(alice, with_app):
    secret, _ = with_app
    browser = Client()
    sign_in(browser, alice.membership.user.email)
    for number in range(5):
        assert not second_step(browser, f"00000{number}")
    assert not second_step(browser, second_factor.code(secret))


def test_a_mailed_code_is_no_way_round_it(alice, with_app, mailoutbox):
    browser = Client()
    browser.post(reverse("account_request_login_code"), {"email": alice.membership.user.email})
    browser.post(reverse("account_confirm_login_code"), {"code": mailed_code(mailoutbox[-1])})
    assert not is_in(browser)


def test_factors_change_only_after_a_fresh_sign_in(alice, with_app):
    browser = alice.browser
    proved_who_they_are(browser, alice.membership.user, seconds_ago=3600)
    for page in ("mfa_deactivate_totp", "mfa_generate_recovery_codes", "mfa_add_webauthn", "account_email"):
        asked = browser.post(reverse(page), {"email": "new@else.example", "action_add": ""})
        assert "reauthenticate" in asked.url, page


def test_recovery_codes_are_shown_once(alice, with_app):
    shown = alice.browser.get(reverse("mfa_view_recovery_codes"))
    assert all(code.encode() not in shown.content for code in with_app[1])
