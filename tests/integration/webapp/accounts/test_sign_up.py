"""Making an account, as a browser sees it."""

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse

from tests.support.accounts import done_by, is_in, mailed_code
from tests.support.people import PASSWORD
from webapp.accounts.models import User
from webapp.accounts.sign_in import welcome

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static", "fresh_rates")]
NEW = {"name": "Nora New", "email": "nora@hospital.example", "password1": PASSWORD}


@pytest.fixture
def anyone_may_sign_up(settings):
    settings.SIGN_UP = "open"


def test_an_account_is_of_use_once_the_mailed_code_is_entered(anyone_may_sign_up, mailoutbox):
    browser = Client()
    confirm = browser.post(reverse("account_signup"), NEW)["Location"]
    assert not is_in(browser)
    assert b"code is wrong" in browser.post(confirm, {"code": "WRONG1"}).content
    browser.post(confirm, {"code": mailed_code(mailoutbox[0])})
    assert is_in(browser)
    assert b"not a member of a lab" in browser.get("/").content
    user = User.objects.get(name="Nora New")
    assert done_by(user) == ["account.signed_up", "account.signed_in"]


def test_a_code_is_not_guessed(anyone_may_sign_up, mailoutbox):
    browser = Client()
    confirm = browser.post(reverse("account_signup"), NEW)["Location"]
    for number in range(3):
        browser.post(confirm, {"code": f"GUESS{number}"})
    browser.post(confirm, {"code": mailed_code(mailoutbox[0])})
    assert not is_in(browser)


def test_nobody_learns_who_has_an_account(anyone_may_sign_up, alice, mailoutbox):
    email = alice.membership.user.email
    known = Client().post(reverse("account_signup"), {**NEW, "email": email})
    unknown = Client().post(reverse("account_signup"), NEW)
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert [message.to for message in mailoutbox] == [[email], [NEW["email"]]]
    assert "There is one already" in mailoutbox[0].body


def test_by_invitation_strangers_are_told_whom_to_ask():
    assert b"Ask an administrator of your lab" in Client().get(reverse("account_signup")).content
    Client().post(reverse("account_signup"), NEW)
    assert not User.objects.exists()


def test_who_was_invited_signs_up_with_that_address_alone(rf):
    browser = Client()
    request = rf.get("/")
    request.session = browser.session
    page = welcome(request, NEW["email"])
    request.session.save()
    assert NEW["email"].encode() in browser.get(page).content
    assert b"You were invited as" in browser.post(page, {**NEW, "email": "other@hospital.example"}).content
    browser.post(page, NEW)
    assert is_in(browser)
    assert EmailAddress.objects.get().verified


@pytest.mark.parametrize("password", ["short", "password1234", "nora@hospital.example"])
def test_a_poor_password_is_rejected(anyone_may_sign_up, password):
    page = Client().post(reverse("account_signup"), {**NEW, "password1": password})
    assert b"field-error" in page.content
