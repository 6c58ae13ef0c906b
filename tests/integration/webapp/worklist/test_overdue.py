"""Cases that became overdue are found once, and those told whose work they are."""

from datetime import timedelta
from threading import Thread

import pytest
from django.core import mail
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from tests.support.people import person
from webapp.cases.models import Case
from webapp.labs.permissions import Role
from webapp.notifications import services
from webapp.notifications.consumers import tell_of_overdue
from webapp.notifications.models import Kind, Notification
from webapp.notifications.selectors import Choice
from webapp.outbox.events import CasesOverdue
from webapp.outbox.models import Delivery
from webapp.worklist import overdue
from webapp.worklist.assigning import assign
from webapp.worklist.turnaround import change_turnaround

pytestmark = pytest.mark.usefixtures("plain_static")


@pytest.fixture
def sue(lab):
    return person(lab, "Sue", Role.SUPERVISOR)


def old(someone, accession, hours=10, **values):
    case = someone.case(accession)
    with scope(lab=someone.lab):
        values["created_at"] = timezone.now() - timedelta(hours=hours)
        Case.objects.filter(id=case.id).update(**values)
    return case


def events():
    """What was found since, by whose the cases are; and it is told."""
    found = {}
    for delivery in Delivery.objects.filter(consumer="notifications.tell_of_overdue"):
        event = CasesOverdue.parse(delivery.event)
        found[event.lab, event.assignee] = event.cases
        with scope(lab=event.lab):
            tell_of_overdue(event)
        delivery.delete()
    return found


def told(someone):
    with scope(lab=someone.lab):
        found = Notification.objects.filter(recipient=someone.membership, read_at=None)
        return [(notice.kind, notice.facts["cases"]) for notice in found]


@pytest.fixture
def late(alice, charlie):
    """Two cases of Alice and one of nobody are overdue; others are not, or signed, or another lab's."""
    with scope(lab=alice.lab):
        change_turnaround(alice.lab, stat=1, urgent=2, routine=4)
    mine = [old(alice, f"A-{n}", assignee=alice.membership.user) for n in range(2)]
    old(alice, "N-1")
    old(alice, "N-2", hours=1)
    old(alice, "S-1", review="signed")
    old(charlie, "C-1")
    return mine


def test_each_is_found_once_and_told_to_whose_it_is(alice, sue, late):
    assert overdue.find() == 3
    assert events() == {(alice.lab.id, alice.membership.user.pk): 2, (alice.lab.id, None): 1}
    assert told(alice) == [(Kind.CASES_OVERDUE, 2)]
    assert told(sue) == [(Kind.CASES_OVERDUE, 1)]
    assert overdue.find() == 0
    assert events() == {}


def test_it_is_found_again_once_it_is_due_at_another_time(alice, late):
    overdue.find()
    with scope(lab=alice.lab):
        change_turnaround(alice.lab, stat=1, urgent=2, routine=24)
        assert overdue.find() == 0
        change_turnaround(alice.lab, stat=1, urgent=2, routine=5)
    assert overdue.find() == 3


def test_who_was_told_and_has_not_read_it_is_told_the_number_of_now(alice, late):
    overdue.find()
    events()
    old(alice, "A-9", assignee=alice.membership.user)
    overdue.find()
    events()
    assert told(alice) == [(Kind.CASES_OVERDUE, 3)]


def test_the_notification_leads_to_the_cases_and_its_mail_names_none(alice, sue, late):
    for someone in (alice, sue):
        with scope(lab=alice.lab):
            services.choose(someone.membership, [Choice(Kind.CASES_OVERDUE, True, True)])
    overdue.find()
    events()
    page = alice.browser.get(reverse("ui:notifications")).content.decode()
    assert f"{reverse('ui:worklist')}?assignee=me&amp;overdue=1" in page
    assert ">2 cases<" in page
    page = sue.browser.get(reverse("ui:notifications")).content.decode()
    assert f"{reverse('ui:worklist')}?assignee=nobody&amp;overdue=1" in page
    assert {message.to[0]: "2 cases" in message.body for message in mail.outbox} == {
        "alice@northern.example": True,
        "sue@northern.example": False,
    }
    assert not any(accession in message.body for message in mail.outbox for accession in ("A-0", "N-1"))
    old(alice, "A-9", assignee=alice.membership.user)
    overdue.find()
    events()
    assert len(mail.outbox) == 2  # of a kind at most one an hour


def test_what_was_settled_meanwhile_is_not_told(alice, late):
    overdue.find()
    with scope(lab=alice.lab):
        Case.objects.update(review="signed")
    events()
    assert told(alice) == []


def test_many_are_found_in_several_steps(alice, late, monkeypatch):
    monkeypatch.setattr(overdue, "AT_ONCE", 2)
    assert overdue.find() == 3
    assert events() == {(alice.lab.id, alice.membership.user.pk): 2, (alice.lab.id, None): 1}


@pytest.mark.django_db(transaction=True)
def test_a_case_that_somebody_works_on_is_found_the_next_time(alice, late):
    found = []

    def look():
        found.append(overdue.find())
        connection.close()

    with transaction.atomic(), scopes_disabled():
        Case.objects.select_for_update().get(id=late[0].id)
        thread = Thread(target=look)
        thread.start()
        thread.join()
    assert found == [2]
    assert overdue.find() == 1


def test_whoever_takes_an_overdue_case_is_not_told_of_it_again(alice, sue, late):
    overdue.find()
    events()
    with scope(lab=alice.lab):
        case = Case.objects.get(accession="N-1")
        me = alice.membership.user
        assign(case, me, by=me, instead_of=None)
    assert overdue.find() == 0
