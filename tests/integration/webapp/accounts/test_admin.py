"""The admin of the installation: staff alone, with a second factor, on record."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from tests.support.accounts import sign_in
from tests.support.people import Person, proved_who_they_are
from webapp.accounts.models import User
from webapp.audit.models import Entry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static", "fresh_rates")]


@pytest.fixture
def operator(alice: Person) -> User:
    user = alice.membership.user
    user.is_staff = user.is_superuser = True
    user.save()
    return user


def test_the_admin_is_behind_the_same_door(alice, bob):
    assert Client().get("/admin/login/")["Location"].startswith(reverse("account_login"))
    assert bob.browser.get("/admin/", follow=True).status_code == 403


def test_the_admin_asks_for_a_second_factor(alice, operator):
    page = alice.browser.get("/admin/", follow=True)
    assert page.redirect_chain[-1][0] == reverse("mfa_index")
    assert b"Set up a second factor first" in page.content


def test_admin_actions_ask_for_a_fresh_sign_in_and_are_on_record(alice, bob, operator, with_app):
    browser, other = alice.browser, bob.membership.user
    page = reverse("admin:accounts_user_change", args=[other.pk])
    proved_who_they_are(browser, operator, seconds_ago=3600)
    assert browser.get(page).status_code == 200
    assert "reauthenticate" in browser.post(page, {"name": "Bob"}).url
    proved_who_they_are(browser, operator)
    browser.post(page, {"name": "Bob"})
    other.refresh_from_db()
    assert not other.is_active
    entry = Entry.objects.get(action="account.changed")
    assert (entry.actor_id, entry.before, entry.after) == (
        operator.pk,
        {"is_active": True},
        {"is_active": False},
    )
    assert bob.browser.get("/").status_code == 302


def test_staff_lift_a_lost_factor_and_end_sessions(alice, bob, operator, with_app):
    staff = alice.browser
    user = bob.membership.user
    sign_in(there := Client(), user.email)
    changes = reverse("admin:accounts_user_changelist")
    staff.post(changes, {"action": "end_sessions", "_selected_action": [user.pk]})
    assert there.get(reverse("account_email")).status_code == 302
    staff.post(changes, {"action": "remove_second_factors", "_selected_action": [operator.pk]})
    assert staff.get("/admin/").status_code == 302
    assert Entry.objects.filter(action="account.factor_removed", subject_id=f"user {operator.pk}").exists()


def test_staff_without_all_powers_leave_superusers_alone(alice, bob, operator, with_app):
    superuser = bob.membership.user
    User.objects.filter(pk=superuser.pk).update(is_staff=True, is_superuser=True)
    operator.is_superuser = False
    operator.save()
    operator.user_permissions.set(Permission.objects.filter(content_type__model="user"))
    staff = alice.browser
    changes = reverse("admin:accounts_user_changelist")
    assert superuser.email.encode() not in staff.get(changes).content
    assert (
        staff.post(reverse("admin:accounts_user_change", args=[superuser.pk]), {"name": "X"}).status_code
        == 302
    )
    staff.post(changes, {"action": "end_sessions", "_selected_action": [superuser.pk]})
    superuser.refresh_from_db()
    assert superuser.is_active
    assert not Entry.objects.filter(action="account.sessions_ended").exists()
