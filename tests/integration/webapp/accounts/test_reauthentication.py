"""Pages that ask again who is there."""

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import path, reverse

from tests.support.people import PASSWORD, proved_who_they_are
from webapp.accounts.reauthentication import fresh_sign_in
from webapp.config.urls import urlpatterns as product

pytestmark = pytest.mark.urls(__name__)


@fresh_sign_in
def grave(request):
    return HttpResponse(f"done: {request.POST.get('what')}")


urlpatterns = [path("grave/", grave), *product]


@pytest.fixture
def browser(alice):
    return alice.browser


def test_a_recent_sign_in_is_enough(browser):
    assert browser.post("/grave/", {"what": "it"}).content == b"done: it"


def test_an_old_sign_in_is_asked_for_the_password_and_then_goes_on(alice, browser):
    proved_who_they_are(browser, alice.membership.user, seconds_ago=3600)
    asked = browser.post("/grave/", {"what": "it"})
    assert asked.url.startswith(reverse("account_reauthenticate"))
    assert browser.post(asked.url, {"password": "wrong"}).status_code == 200
    assert browser.post(asked.url, {"password": PASSWORD, "next": "/grave/"}).content == b"done: it"


def test_who_has_no_password_signs_in_anew(alice, browser):
    user = alice.membership.user
    user.set_unusable_password()
    user.save()
    browser.force_login(user)
    proved_who_they_are(browser, user, seconds_ago=3600)
    assert browser.get("/grave/").url.endswith("?next=/grave/")
    assert "_auth_user_id" not in browser.session


@pytest.mark.django_db
def test_nobody_is_sent_to_sign_in():
    assert Client().get("/grave/").status_code == 302
