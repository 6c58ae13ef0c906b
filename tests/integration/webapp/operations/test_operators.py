"""What the proxy before Flower and Grafana is told."""

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse

from tests.support.people import person
from webapp.labs.permissions import Role

PATH = "/operators/"


def test_strangers_sign_in_and_come_back(client):
    response = client.get(PATH, headers={"X-Forwarded-Uri": "/flower/workers"})
    assert response.status_code == 302
    assert response["Location"].endswith("?next=/flower/workers")


@pytest.fixture
def staff(alice):
    alice.membership.user.is_staff = True
    alice.membership.user.save()
    return alice


def test_staff_pass_by_name(staff):
    Authenticator.objects.create(user=staff.membership.user, type=Authenticator.Type.WEBAUTHN, data={})
    response = staff.browser.get(PATH)
    assert response.status_code == 204
    assert response["X-Operator"] == staff.membership.user.email


def test_staff_without_a_second_factor_set_one_up_first(staff):
    response = staff.browser.get(PATH)
    assert (response.status_code, response.url) == (302, reverse("mfa_index"))


def test_an_administrator_of_a_lab_is_none_of_the_installation(alice):
    assert person(alice.lab, "Ada", Role.ADMIN).browser.get(PATH).status_code == 403


def test_nothing_but_the_question_is_answered(alice):
    assert alice.browser.post(PATH).status_code == 405
