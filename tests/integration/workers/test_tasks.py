"""Every night what has ended is deleted after a while, and nothing else, and all cases are looked through."""

from datetime import timedelta
from importlib import import_module

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope, scopes_disabled
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from tests.support.pages import plain_static
from tests.support.people import PASSWORD
from webapp.cases.models import Case, Processing
from webapp.labs.invitations import invite
from webapp.labs.models import ApiToken, Invitation
from webapp.labs.permissions import Role
from workers.celery import app
from workers.tasks import check_processing, delete_expired

__all__ = ["plain_static"]


def ended(ago: timedelta) -> dict[str, object]:
    return {"expires_at": timezone.now() - ago}


@pytest.mark.parametrize(("task", "at"), [(delete_expired, 1), (check_processing, 2)])
def test_it_is_done_every_night(task, at):
    nightly = [entry for entry in app.conf.beat_schedule.values() if entry["task"] == task.name]
    assert len(nightly) == 1
    assert {int(hour) for hour in nightly[0]["schedule"].hour} == {at}


def test_cases_that_disagree_with_their_images_are_told_of_in_log_and_metrics(alice, charlie):
    wrong, _, other = alice.case("A-1"), alice.case("A-2"), charlie.case("B-1")

    def counted():
        return REGISTRY.get_sample_value("hematovision_cases_unsettled_total")

    before = counted()
    check_processing()
    assert counted() == before
    with scopes_disabled():
        Case.objects.filter(id__in=[wrong.id, other.id]).update(processing=Processing.DONE)
    with capture_logs() as logged:
        check_processing()
    assert counted() == before + 2
    told = [entry for entry in logged if entry["event"] == "case disagrees with its images"]
    assert {(entry["case"], entry["lab"]) for entry in told} == {
        (str(case.id), str(case.lab_id)) for case in (wrong, other)
    }
    assert {(entry["stored"], entry["by_images"]) for entry in told} == {("done", "receiving")}
    with scopes_disabled():
        assert Case.objects.filter(processing=Processing.DONE).count() == 2  # a person repairs


def test_sessions_whose_time_is_over_go_and_those_of_today_stay(alice, plain_static):
    cache.clear()
    browsers = [Client() for _ in range(3)]
    for browser in browsers:
        browser.post(reverse("account_login"), {"login": alice.membership.user.email, "password": PASSWORD})
        browser.get("/")
    over, closed, here = (browser.session.session_key for browser in browsers)
    Session.objects.filter(session_key=over).update(expire_date=timezone.now() - timedelta(minutes=1))
    Session.objects.filter(session_key=closed).delete()
    UserSession.objects.update(created_at=timezone.now() - timedelta(hours=13))
    just_begun = import_module(settings.SESSION_ENGINE).SessionStore()
    UserSession.objects.create(
        user=alice.membership.user, session_key="just-being-begun", ip="127.0.0.1", user_agent=""
    )
    assert just_begun.session_key is None
    delete_expired()
    assert [key for (key,) in Session.objects.values_list("session_key")] == [here]
    left = UserSession.objects.values_list("session_key", flat=True)
    assert set(left) == {here, "just-being-begun"}
    assert browsers[2].get(reverse("ui:worklist")).status_code == 200


def test_invitations_and_tokens_go_a_month_after_they_expired(alice, charlie, settings):
    shown = timedelta(days=settings.EXPIRED_SHOWN_DAYS)
    with scopes_disabled():
        for number, person in enumerate((alice, charlie)):
            for ago in (shown + timedelta(hours=1), shown - timedelta(hours=1), -timedelta(days=1)):
                with scope(lab=person.lab):
                    email = f"guest{number}{ago.days}@else.example"
                    made = invite(
                        person.lab, email=email, role=Role.TECHNICIAN, by=person.membership.user, link=str
                    )
                    Invitation.objects.filter(id=made.id).update(**ended(ago))
        ApiToken.objects.filter(membership=alice.membership).update(**ended(shown + timedelta(hours=1)))
        ApiToken.objects.create(
            membership=charlie.membership, name="of before", prefix="hv_old", digest=b"old", expires_at=None
        )
        delete_expired()
        assert Invitation.objects.count() == 4
        assert sorted(ApiToken.objects.values_list("membership__user__name", flat=True)) == [
            "Charlie",
            "Charlie",
        ]
