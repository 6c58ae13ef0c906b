"""Signing in and out, as a browser sees it, and how often it may be tried."""

import pytest
from django.conf import settings
from django.conf import settings as django_settings
from django.core import signing
from django.shortcuts import resolve_url
from django.test import Client
from django.urls import reverse

from tests.support.accounts import done_by, is_in, mailed_code, sign_in
from tests.support.people import PASSWORD
from webapp.accounts import device_cookies
from webapp.audit.models import Entry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static", "fresh_rates")]


def test_in_and_out_with_a_password(alice):
    user, browser = alice.membership.user, Client()
    assert b"E-mail or password is wrong" in sign_in(browser, user.email, "wrong").content
    assert sign_in(browser, user.email.upper()).url == "/"
    browser.post(reverse("account_logout"))
    assert not is_in(browser)
    assert done_by(user) == ["account.signed_in", "account.signed_out"]
    assert Entry.objects.get(action="sign_in.failed").subject == user.email


def test_what_was_typed_for_an_unknown_address_is_not_kept():
    sign_in(Client(), "my-password@typed.example")
    assert "my-password" not in Entry.objects.get(action="sign_in.failed").subject


def test_in_with_a_mailed_code(alice, mailoutbox):
    browser = Client()
    browser.post(reverse("account_request_login_code"), {"email": alice.membership.user.email})
    browser.post(reverse("account_confirm_login_code"), {"code": mailed_code(mailoutbox[0])})
    assert is_in(browser)


def test_no_code_is_mailed_to_strangers(mailoutbox):
    page = Client().post(reverse("account_request_login_code"), {"email": "stranger@else.example"})
    assert page["Location"] == reverse("account_confirm_login_code")
    assert mailoutbox == []


def test_a_closed_account_stays_out(alice):
    user = alice.membership.user
    user.is_active = False
    user.save()
    browser = Client()
    sign_in(browser, user.email)
    assert not is_in(browser)


def test_passwords_are_not_guessed(alice):
    for number in range(5):
        sign_in(Client(), alice.membership.user.email, f"guess {number}")
    browser = Client()
    assert b"Too many attempts" in sign_in(browser, alice.membership.user.email).content
    assert not is_in(browser)


def sign_in_from(address: str, browser: Client, email: str, password: str = PASSWORD):
    form = {"login": email, "password": password}
    return browser.post(reverse("account_login"), form, REMOTE_ADDR=address)


def guess(email: str, addresses: list[str]) -> list[bool]:
    """Whether each of five guesses from each address was looked at."""
    pages = [
        sign_in_from(address, Client(), email, f"guess {number}")
        for address in addresses
        for number in range(5)
    ]
    return [b"Too many attempts" not in page.content for page in pages]


def test_a_strangers_guesses_do_not_shut_the_owner_out(alice):
    email = alice.membership.user.email
    assert all(guess(email, ["192.0.2.66"]))
    assert not guess(email, ["192.0.2.66"])[0]
    browser = Client()
    sign_in_from("192.0.2.7", browser, email)
    assert is_in(browser)


def test_nor_do_those_of_a_hundred_strangers_in_a_browser_that_is_known(alice, charlie):
    email = alice.membership.user.email
    known, new = Client(), Client()
    sign_in_from("192.0.2.7", known, email)
    known.post(reverse("account_logout"))
    sign_in_from("192.0.2.7", known, charlie.membership.user.email)  # the workstation is shared
    known.post(reverse("account_logout"))
    looked_at = guess(email, [f"198.51.100.{n}" for n in range(30)])
    assert (sum(looked_at), any(looked_at[50:])) == (50, False)
    assert b"Too many attempts" in sign_in_from("192.0.2.7", new, email).content
    sign_in_from("192.0.2.7", known, email)
    assert (is_in(known), is_in(new)) == (True, False)


def test_a_known_browser_guesses_no_more_than_another(alice):
    browser = Client()
    sign_in_from("192.0.2.7", browser, alice.membership.user.email)
    browser.post(reverse("account_logout"))
    for number in range(5):
        sign_in_from(f"192.0.2.{number}", browser, alice.membership.user.email, "wrong")
    assert b"Too many attempts" in sign_in_from("192.0.2.99", browser, alice.membership.user.email).content


def test_what_a_browser_remembers_names_nobody(alice):
    browser = Client()
    sign_in(browser, alice.membership.user.email)
    cookie = browser.cookies[settings.DEVICE_COOKIE_NAME]
    assert alice.membership.user.email not in str(signing.loads(cookie.value, salt=device_cookies.SALT))
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_a_code_by_mail_opens_what_strangers_shut(alice, mailoutbox):
    user = alice.membership.user
    guess(user.email, [f"198.51.100.{n}" for n in range(11)])
    browser = Client()
    browser.post(reverse("account_reset_password"), {"email": user.email})
    browser.post(reverse("account_confirm_password_reset_code"), {"code": mailed_code(mailoutbox[0])})
    new = "a quite different one"
    browser.post(reverse("account_complete_password_reset"), {"password1": new, "password2": new})
    sign_in(browser, user.email, new)
    assert is_in(browser)


def test_work_goes_on_without_the_cache(alice, settings):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    browser = Client()
    sign_in(browser, alice.membership.user.email)
    assert is_in(browser)


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
