"""Whom notifications reach, where, and how often."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from django_scopes import scope

from tests.support.people import person
from webapp.jobs.kinds import KINDS
from webapp.jobs.models import Job
from webapp.labs import services as labs
from webapp.labs.permissions import Role
from webapp.notifications import selectors, services
from webapp.notifications.consumers import tell_of_case, tell_of_job
from webapp.notifications.models import Kind, Notification
from webapp.notifications.selectors import Choice
from webapp.outbox.events import CONSUMERS, JobEnded, ProcessingFinished


@pytest.fixture
def case(alice):
    case = alice.case("SECRET-7")
    with scope(lab=alice.lab):
        yield case


def finished(case, classified=5, refused=0, failed=0):
    return ProcessingFinished(case.lab_id, case.id, classified, refused, failed)


def by_mail(someone, *kinds):
    services.choose(someone.membership, [Choice(kind, True, kind in kinds) for kind in Kind])


def kinds_of(someone):
    return sorted(notice.kind for notice in selectors.inbox(someone.membership))


def test_consumers_are_registered():
    assert {"notifications.tell_of_case", "notifications.tell_of_job"} <= set(CONSUMERS)


def test_whoever_created_the_case_is_told_in_the_page_and_nobody_by_mail(alice, case):
    tell_of_case(finished(case, refused=2, failed=1))
    assert kinds_of(alice) == [Kind.FILES_UNUSABLE, Kind.UPLOAD_FINISHED]
    assert selectors.unread(alice.membership) == 2
    assert not mail.outbox
    assert not Notification.objects.exclude(recipient=alice.membership).exists()


def test_files_alone_that_cannot_be_used(alice, case):
    tell_of_case(finished(case, classified=0, refused=2))
    assert kinds_of(alice) == [Kind.FILES_UNUSABLE]


def test_a_second_delivery_and_a_second_rest_are_told_once_until_read(alice, case):
    for classified in (5, 5, 9):
        tell_of_case(finished(case, classified))
    (notice,) = selectors.inbox(alice.membership)
    assert notice.facts["classified"] == 9
    assert services.mark_read(alice.membership) == 1
    assert services.mark_read(alice.membership) == 0
    tell_of_case(finished(case, 12))
    assert (selectors.inbox(alice.membership).count(), selectors.unread(alice.membership)) == (2, 1)


def test_a_message_names_nobody_and_comes_once_an_hour(alice, case, settings):
    by_mail(alice, Kind.UPLOAD_FINISHED, Kind.FILES_UNUSABLE)
    for number in range(200):
        tell_of_case(finished(case, number + 1, refused=1))
    assert len(mail.outbox) == 2
    for message in mail.outbox:
        assert message.to == [alice.membership.user.email]
        for secret in ("SECRET-7", str(case.id)):
            assert secret not in message.subject + str(message.body)
    assert "1 classified, 1 refused" in str(mail.outbox[0].body)
    other = alice.case("SECRET-8")
    tell_of_case(finished(other))
    assert len(mail.outbox) == 3
    long_ago = timezone.now() - timedelta(seconds=settings.NOTIFICATION_MAIL_QUIET_SECONDS + 1)
    Notification.objects.update(mailed_at=long_ago)
    services.mark_read(alice.membership)
    tell_of_case(finished(case))
    assert len(mail.outbox) == 4


def test_who_wants_neither_is_not_told(alice, case):
    services.choose(alice.membership, [Choice(kind, False, False) for kind in Kind])
    tell_of_case(finished(case))
    assert not Notification.objects.exists()


def test_who_wants_mail_alone_finds_nothing_unread(alice, case):
    services.choose(alice.membership, [Choice(kind, False, True) for kind in Kind])
    for _ in range(3):
        tell_of_case(finished(case))
    assert selectors.unread(alice.membership) == 0
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    "change",
    [labs.remove, labs.deactivate, lambda member: labs.change_role(member, Role.CLINICIAN)],
)
def test_who_may_not_see_the_case_is_not_told(alice, case, change):
    change(alice.membership)
    tell_of_case(finished(case))
    assert not Notification.objects.exists()


def test_with_a_member_their_notifications_go(alice, case):
    tell_of_case(finished(case))
    by_mail(alice, Kind.UPLOAD_FINISHED)
    labs.remove(alice.membership)
    assert not Notification.objects.exists()


@pytest.mark.parametrize(("done", "said"), [(True, "is ready"), (False, "failed")])
def test_whoever_started_a_job_is_told(alice, done, said):
    dora = person(alice.lab, "Dora", Role.ADMIN)
    with scope(lab=alice.lab):
        by_mail(dora, Kind.JOB_ENDED)
        job = Job.objects.create(lab=dora.lab, owner=dora.membership.user, kind="audit_csv")
        tell_of_job(JobEnded(dora.lab.id, job.id, done=done))
        assert kinds_of(dora) == [Kind.JOB_ENDED]
        assert not kinds_of(alice)
    (message,) = mail.outbox
    assert said in str(message.body)
    assert str(KINDS["audit_csv"].label) in str(message.body)


def test_old_ones_are_deleted(alice, case, settings):
    tell_of_case(finished(case))
    assert services.delete_old() == 0
    Notification.objects.update(
        created_at=timezone.now() - timedelta(days=settings.NOTIFICATION_KEPT_DAYS + 1)
    )
    assert services.delete_old() == 1
