"""Looking after an account: its password, address and name."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.support.accounts import done_by, mailed_code
from tests.support.people import PASSWORD
from webapp.audit.models import Entry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static", "fresh_rates")]


def test_a_new_password_after_forgetting_the_old(alice, mailoutbox):
    user, browser = alice.membership.user, Client()
    browser.post(reverse("account_reset_password"), {"email": user.email})
    browser.post(reverse("account_confirm_password_reset_code"), {"code": mailed_code(mailoutbox[0])})
    new = "a quite different one"
    browser.post(reverse("account_complete_password_reset"), {"password1": new, "password2": new})
    user.refresh_from_db()
    assert user.check_password(new)
    assert "account.password_reset" in done_by(user)
    assert "Your password has been reset" in mailoutbox[-1].body


def test_a_changed_password_ends_the_other_sessions(alice, mailoutbox):
    here, there = alice.browser, alice.browser
    new = "a quite different one"
    changed = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    here.post(reverse("account_change_password"), changed)
    assert here.get(reverse("account_email")).status_code == 200
    assert there.get(reverse("account_email")).status_code == 302
    assert "HematoVision: Password changed" in [message.subject for message in mailoutbox]


def test_a_new_address_counts_once_it_is_proved(alice, mailoutbox):
    user, browser = alice.membership.user, alice.browser
    old, new = user.email, "alice@elsewhere.example"
    browser.post(reverse("account_email"), {"email": new, "action_add": ""})
    user.refresh_from_db()
    assert user.email == old
    to_new = next(message for message in mailoutbox if message.to == [new])
    browser.post(reverse("account_email_verification_sent"), {"code": mailed_code(to_new)})
    user.refresh_from_db()
    assert user.email == new
    assert [old] in [message.to for message in mailoutbox]
    assert "account.email_changed" in done_by(user)


def test_another_name_and_the_old_one_stays_on_record(alice):
    user, browser = alice.membership.user, alice.browser
    browser.post(reverse("ui:name"), {"name": "Alice Married"})
    user.refresh_from_db()
    assert user.name == "Alice Married"
    entry = Entry.objects.get(action="account.name_changed")
    assert (entry.actor_name, entry.before, entry.after) == (
        "Alice",
        {"name": "Alice"},
        {"name": "Alice Married"},
    )
    assert browser.post(reverse("ui:name"), {"name": " "}).status_code == 422
