"""What the proxy before Flower and Grafana is told."""

from allauth.mfa.models import Authenticator

from tests.support.people import person
from webapp.labs.permissions import Role

PATH = "/operators/"


def test_strangers_sign_in_and_come_back(client):
    response = client.get(PATH, headers={"X-Forwarded-Uri": "/flower/workers"})
    assert response.status_code == 302
    assert response["Location"].endswith("?next=/flower/workers")


def test_staff_with_a_second_factor_pass_by_name(alice, client):
    user = alice.membership.user
    user.is_staff = True
    user.save()
    assert alice.browser.get(PATH).status_code == 403
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    response = alice.browser.get(PATH)
    assert response.status_code == 204
    assert response["X-Operator"] == user.email


def test_an_administrator_of_a_lab_is_none_of_the_installation(alice):
    assert person(alice.lab, "Ada", Role.ADMIN).browser.get(PATH).status_code == 403


def test_nothing_but_the_question_is_answered(alice):
    assert alice.browser.post(PATH).status_code == 405
