"""A case that is wanted soon: its images pass those of bulk uploads, those to come and those there."""

import pytest
from django.utils import timezone
from django_scopes import scope

from serving.contract.sentence import Sentence
from tests.integration.webapp.inference.test_services import receive
from tests.support.present import present
from webapp.cases.models import Case, Priority
from webapp.inference import services
from webapp.inference.models import Chunk
from webapp.inference.services import set_priority
from webapp.outbox.models import OutboxEntry
from webapp.outbox.queues import Queue


@pytest.fixture
def case(alice):
    with scope(lab=alice.lab):
        yield alice.case()


def chunks(case):
    return list(Chunk.objects.filter(case=case).order_by("id"))


def queues(case):
    return [chunk.queue for chunk in chunks(case)]


def waiting(chunk):
    """Queues in which a message for the chunk waits for the relay."""
    entries = OutboxEntry.objects.filter(task=services.CLASSIFY, args=[str(chunk.id)], sent_at=None)
    return list(entries.values_list("queue", flat=True))


def sent(chunk):
    OutboxEntry.objects.filter(args=[str(chunk.id)]).update(sent_at=timezone.now())


def claim(chunk):
    return present(services.claim(chunk.id, holder="w", redelivered=False))


@pytest.mark.parametrize("priority", [Priority.URGENT, Priority.STAT])
def test_images_to_come_are_interactive_whatever_their_number(case, priority):
    set_priority(case, priority)
    receive(case, 300, bulk=True)
    assert set(queues(case)) == {Queue.INTERACTIVE}


def test_routine_ones_are_as_before(case):
    receive(case, 300)
    set_priority(case, Priority.ROUTINE)
    assert set(queues(case)) == {Queue.BULK}


def test_a_case_that_was_read_before_is_asked_anew(alice, case):
    stale = Case.objects.get(id=case.id)
    set_priority(case, Priority.STAT)
    receive(stale, 1, bulk=True)
    assert queues(case) == [Queue.INTERACTIVE]


def test_what_waits_in_the_outbox_moves_with_its_time(alice, case):
    receive(case, 128, bulk=True)
    other = alice.case("A-2")
    receive(other, 1, bulk=True)
    first, second = chunks(case)
    services.defer(claim(first), Sentence("Away."))
    due = OutboxEntry.objects.filter(args=[str(first.id)]).latest("id").not_before
    set_priority(case, Priority.STAT)
    assert queues(case) == [Queue.INTERACTIVE] * 2
    assert set(waiting(first)) == {Queue.INTERACTIVE}
    assert waiting(second) == [Queue.INTERACTIVE]
    assert OutboxEntry.objects.filter(args=[str(first.id)]).latest("id").not_before == due
    assert queues(other) == [Queue.BULK]


def test_what_the_broker_has_is_told_once_more_and_done_once(case):
    receive(case, 1, bulk=True)
    (chunk,) = chunks(case)
    sent(chunk)
    set_priority(case, Priority.URGENT)
    assert waiting(chunk) == [Queue.INTERACTIVE]
    assert services.claim(chunk.id, holder="interactive", redelivered=False)
    assert services.claim(chunk.id, holder="bulk", redelivered=False) is None


def test_what_a_worker_has_in_hand_comes_back_as_interactive(case):
    receive(case, 1, bulk=True)
    (chunk,) = chunks(case)
    held = claim(chunk)
    sent(chunk)
    set_priority(case, Priority.STAT)
    assert waiting(chunk) == []
    services.attempt_failed(held, Sentence("No."))
    assert waiting(chunk) == [Queue.INTERACTIVE]


def test_what_is_done_or_dead_stays(case):
    receive(case, 1, bulk=True)
    (chunk,) = chunks(case)
    services.dead_letter(claim(chunk), Sentence("No."))
    sent(chunk)
    set_priority(case, Priority.STAT)
    assert (queues(case), waiting(chunk)) == ([Queue.BULK], [])


def test_a_picture_that_brings_workers_down_is_still_kept_from_those_who_wait(case, settings):
    set_priority(case, Priority.STAT)
    receive(case, 2)
    (chunk,) = chunks(case)
    for _ in range(settings.CHUNK_MAX_ATTEMPTS):
        services.attempt_failed(claim(chunk), Sentence("No."))
    assert queues(case) == [Queue.BULK] * 2


def test_a_second_time_changes_nothing(case):
    set_priority(case, Priority.STAT)
    receive(case, 1)
    entries = OutboxEntry.objects.count()
    assert set_priority(case, Priority.STAT) == Priority.STAT
    assert OutboxEntry.objects.count() == entries
