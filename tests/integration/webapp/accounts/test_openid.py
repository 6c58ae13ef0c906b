"""Signing in through an identity provider that speaks the real protocol."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit, urlunsplit

import httpx
import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from tests.support import openid
from tests.support.people import PASSWORD
from webapp.accounts.models import User

START = "/accounts/oidc/hospital/login/"
PAT = {"sub": "0815", "name": "Pat O'Logist", "email": "pat@hospital.example", "email_verified": True}

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def running() -> Iterator[openid.Provider]:
    with openid.running() as provider:
        yield provider


@pytest.fixture
def provider(running: openid.Provider, settings) -> openid.Provider:
    running.person, running.lies = dict(PAT), set()
    settings.SIGN_UP = "open"
    settings.SOCIALACCOUNT_PROVIDERS = running.settings()
    return running


def asked_for(browser: Client, path: str = START) -> str:
    """Where the page that leaves for the provider sends the browser."""
    url: str = browser.post(path).context["url"]
    return url


def answer_to(url: str) -> str:
    """Where the provider sends the browser back to, once the person has said yes."""
    back = urlsplit(httpx.get(url).headers["Location"])
    return urlunsplit(("", "", back.path, back.query, ""))


def sign_in(browser: Client, path: str = START):
    return browser.get(answer_to(asked_for(browser, path)))


def is_in(browser: Client) -> bool:
    return "_auth_user_id" in browser.session


def test_the_first_sign_in_makes_the_account_and_the_second_finds_it(provider):
    for _ in range(2):
        browser = Client()
        assert sign_in(browser).url == "/"
        assert is_in(browser)
    user = User.objects.get()
    assert (user.name, user.email, user.has_usable_password()) == (
        "Pat O'Logist",
        "pat@hospital.example",
        False,
    )
    assert EmailAddress.objects.get(user=user).verified


def test_no_more_of_the_person_is_kept_than_is_shown(provider):
    provider.person["birthdate"] = "1970-01-01"
    sign_in(Client())
    assert SocialAccount.objects.get().extra_data == {name: PAT[name] for name in ("sub", "email", "name")}


def test_the_request_carries_pkce_state_and_nonce(provider):
    asked = parse_qs(urlsplit(asked_for(Client())).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert all(len(asked[name][0]) >= 16 for name in ("code_challenge", "state", "nonce"))


@pytest.mark.parametrize("lie", ["signature", "nonce", "audience", "issuer", "expiry", "person"])
def test_an_answer_that_cannot_be_trusted_signs_nobody_in(provider, lie):
    provider.lies = {lie}
    browser = Client()
    assert b"did not sign you in" in sign_in(browser).content
    assert not is_in(browser)
    assert not User.objects.exists()


def test_an_answer_to_another_browser_signs_nobody_in(provider):
    stolen = answer_to(asked_for(Client()))
    victim = Client()
    asked_for(victim)
    assert b"did not sign you in" in victim.get(stolen).content
    assert not is_in(victim)


def test_an_answer_is_taken_once(provider):
    browser = Client()
    answer = answer_to(asked_for(browser))
    browser.get(answer)
    browser.post("/accounts/logout/")
    assert b"did not sign you in" in browser.get(answer).content
    assert not is_in(browser)


@pytest.mark.parametrize("verified", [False, "false", None])
@pytest.mark.parametrize("trusted", [False, True])
def test_an_unverified_address_does_not_take_over_an_account(provider, settings, alice, verified, trusted):
    settings.SOCIALACCOUNT_PROVIDERS = provider.settings(email_authentication=trusted)
    provider.person |= {"email": alice.membership.user.email, "email_verified": verified}
    browser = Client()
    sign_in(browser)
    assert not is_in(browser)
    assert not SocialAccount.objects.exists()


def test_a_verified_address_is_not_enough_unless_the_provider_is_trusted(provider, settings, alice):
    provider.person["email"] = alice.membership.user.email
    browser = Client()
    sign_in(browser)
    assert not is_in(browser)
    settings.SOCIALACCOUNT_PROVIDERS = provider.settings(email_authentication=True)
    sign_in(browser)
    assert browser.session["_auth_user_id"] == str(alice.membership.user.pk)


def test_an_unverified_address_must_be_proved_before_the_account_is_of_use(provider, mailoutbox):
    provider.person["email_verified"] = False
    browser = Client()
    assert "confirm-email" in sign_in(browser).url
    assert not is_in(browser)
    assert mailoutbox[0].to == ["pat@hospital.example"]


def test_by_invitation_strangers_get_no_account(provider, settings):
    settings.SIGN_UP = "invited"
    assert b"by invitation" in sign_in(Client()).content
    assert not User.objects.exists()


def test_a_person_connects_the_provider_and_signs_in_with_it_from_then_on(provider, alice):
    provider.person["email"] = "other@hospital.example"
    assert sign_in(alice.browser, f"{START}?process=connect").url == "/accounts/3rdparty/"
    browser = Client()
    sign_in(browser)
    assert browser.session["_auth_user_id"] == str(alice.membership.user.pk)


def test_a_provider_that_is_away_is_told(provider, settings):
    settings.SOCIALACCOUNT_PROVIDERS = provider.settings(server_url="http://127.0.0.1:1")
    assert b"did not sign you in" in Client().post(START).content


def test_a_password_of_ones_own_beside_it(provider, mailoutbox):
    browser = Client()
    sign_in(browser)
    browser.post("/accounts/password/set/", {"password1": PASSWORD, "password2": PASSWORD})
    assert User.objects.get().check_password(PASSWORD)
