"""Sessions are listed, and end."""

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse

from tests.support.accounts import done_by, is_in, sign_in
from tests.support.people import PASSWORD
from tests.support.present import present

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static", "fresh_rates")]


def end_of_session(browser: Client) -> str:
    session = UserSession.objects.get(session_key=browser.session.session_key)
    return reverse("ui:end-session", args=[session.pk])


def test_sessions_are_listed_and_end_at_once(alice):
    user, here, there = alice.membership.user, Client(), Client()
    sign_in(there, user.email)
    there.get("/")
    sign_in(here, user.email)
    assert here.get(reverse("usersessions_list")).context["session_count"] == 2
    here.post(reverse("usersessions_list"))
    assert there.get(reverse("ui:worklist")).status_code == 302
    assert here.get(reverse("ui:worklist")).status_code == 200
    assert "account.sessions_ended" in done_by(user)


def test_one_session_elsewhere_is_ended(alice, charlie):
    user, browsers = alice.membership.user, [Client() for _ in range(3)]
    here, phone, office = browsers
    for browser in browsers:
        sign_in(browser, user.email)
        browser.get("/")
    end = {browser: end_of_session(browser) for browser in browsers}
    page = here.get(reverse("usersessions_list")).content.decode()
    assert [end[browser] in page for browser in browsers] == [False, True, True]
    here.post(end[phone])
    assert [is_in(browser) for browser in browsers] == [True, False, True]
    assert done_by(user)[-1] == "account.sessions_ended"
    assert charlie.browser.post(end[office]).status_code == 404
    assert here.post(end[here]).status_code == 404
    assert is_in(here)
    assert is_in(office)


def test_a_session_that_somebody_else_began_is_not_kept(alice) -> None:
    browser = Client()
    browser.get(reverse("ui:home"))
    session = browser.session
    session["planted"] = True
    session.save()
    before = present(session.session_key)
    browser.cookies[django_settings.SESSION_COOKIE_NAME] = before
    browser.login(email=alice.membership.user.email, password=PASSWORD)
    assert browser.session.session_key != before
