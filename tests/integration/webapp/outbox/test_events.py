"""Events on a real database: published with the deed, told at least once, retried alone, given up."""

from datetime import timedelta
from io import StringIO
from threading import Event as Flag
from threading import Thread

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from django_scopes import scope

from tests.support.bracketed import bracketed
from webapp.outbox import deliveries, services
from webapp.outbox.events import CONSUME, CONSUMERS, Event, ImagesClassified, consumes, publish
from webapp.outbox.models import Delivery, OutboxEntry
from webapp.outbox.queues import Queue

__all__ = ["bracketed"]

TOLD: list[ImagesClassified] = []


@pytest.fixture
def heard(monkeypatch):
    """Two consumers of a chunk's results: one that hears, and one that fails until it is mended."""
    for name in list(CONSUMERS):
        monkeypatch.delitem(CONSUMERS, name)
    TOLD.clear()
    state = {"broken": True}

    def hears(event: ImagesClassified) -> None:
        TOLD.append(event)

    def fails(event: ImagesClassified) -> None:
        if state["broken"]:
            raise ConnectionError("the other side is away")

    for function in (hears, fails):
        function.__module__ = "webapp.tried.consumers"
        consumes(ImagesClassified, queue=Queue.EVENTS)(function)
    yield state
    for name in ("tried.hears", "tried.fails"):
        CONSUMERS.pop(name, None)


def event(someone) -> ImagesClassified:
    return ImagesClassified(someone.lab.id, someone.case().id, classified=3, refused=1)


def due() -> list[OutboxEntry]:
    return list(OutboxEntry.objects.filter(task=CONSUME, sent_at=None).order_by("id"))


def sent() -> list[str]:
    """Ids of the deliveries that the relay has just sent."""
    found: list[str] = []
    services.send_due(Queue.EVENTS, 100, lambda entry: found.extend(entry.args))
    return found


def test_an_event_is_read_as_it_was_written(alice):
    published = event(alice)
    assert ImagesClassified.parse(published.plain()) == published


def test_it_is_told_if_and_only_if_the_deed_is_done(alice, heard):
    with transaction.atomic():
        publish(event(alice))
        transaction.set_rollback(True)
    assert not due()
    published = ImagesClassified(alice.lab.id, alice.case("B-1").id, 1, 0)
    publish(published)
    assert len(due()) == 2
    for delivery_id in sent() * 2:  # a second message finds it done
        with scope(lab=alice.lab):
            deliveries.consume(int(delivery_id))
    assert [published] == TOLD


def test_nobody_hears_of_what_nobody_consumes(alice, heard):
    publish(Event(alice.lab.id))
    assert not Delivery.objects.exists()
    assert not due()


def test_one_that_fails_for_long_is_retried_alone_and_becomes_a_dead_letter(
    alice, heard, settings, monkeypatch
):
    settings.EVENT_MAX_ATTEMPTS = 4
    publish(event(alice))
    waits = []
    for delivery_id in sent():
        deliveries.consume(int(delivery_id))
    assert len(TOLD) == 1  # the other has been told meanwhile
    for _ in range(3):
        (entry,) = due()
        waits.append((entry.not_before - timezone.now()).total_seconds())
        assert not sent()  # it backs off
        OutboxEntry.objects.update(not_before=timezone.now())
        (delivery_id,) = sent()
        deliveries.consume(int(delivery_id))
    first = settings.EVENT_RETRY_FIRST_SECONDS
    assert all(first * 2**n * 0.5 - 1 < wait <= first * 2**n for n, wait in enumerate(waits))
    assert not due()
    (dead,) = deliveries.dead_letters()
    assert (dead.consumer, dead.attempts) == ("tried.fails", 4)
    assert dead.error == "ConnectionError: the other side is away"

    said = StringIO()
    call_command("dead_events", stdout=said)
    assert "tried.fails" in said.getvalue()
    heard["broken"] = False
    call_command("dead_events", "--requeue", "--consumer", "tried.hears", stdout=StringIO())
    assert not due()
    call_command("dead_events", "--requeue", stdout=StringIO())
    (delivery_id,) = sent()
    deliveries.consume(int(delivery_id))
    assert not Delivery.objects.exists()
    assert len(TOLD) == 1


def test_retries_back_off_for_more_than_an_hour(settings):
    first, longest = settings.EVENT_RETRY_FIRST_SECONDS, settings.EVENT_RETRY_LONGEST_SECONDS
    waits = [min(first * 2**retry, longest) for retry in range(settings.EVENT_MAX_ATTEMPTS - 1)]
    assert sum(waits) * 0.5 > 3600  # with the most jitter


def test_what_a_consumer_wrote_before_it_failed_is_not_there(alice, heard, monkeypatch):
    def writes(told: ImagesClassified) -> None:
        services.enqueue(told.lab, Queue.EVENTS, "other", [1])
        raise ValueError

    writes.__module__ = "webapp.tried.consumers"
    consumes(ImagesClassified, queue=Queue.EVENTS)(writes)
    publish(event(alice))
    for delivery_id in sent():
        deliveries.consume(int(delivery_id))
    CONSUMERS.pop("tried.writes")
    assert not OutboxEntry.objects.filter(task="other").exists()


def test_an_attempt_that_takes_its_worker_with_it_counts(alice, heard, settings, monkeypatch):
    settings.EVENT_MAX_ATTEMPTS = 2

    def dies(told: ImagesClassified) -> None:
        raise SystemExit

    monkeypatch.setitem(
        CONSUMERS,
        "tried.fails",
        CONSUMERS["tried.fails"].__class__("tried.fails", ImagesClassified, Queue.EVENTS, dies),
    )
    publish(event(alice))
    (delivery,) = Delivery.objects.filter(consumer="tried.fails")
    for _ in range(2):
        with pytest.raises(SystemExit):
            deliveries.consume(delivery.id)
    deliveries.consume(delivery.id)
    delivery.refresh_from_db()
    assert delivery.state == Delivery.State.DEAD
    assert "stopped each time" in delivery.error


def test_one_whose_worker_or_message_is_gone_is_told_again(alice, heard, settings):
    publish(event(alice))
    assert deliveries.recover_lost() == 0
    long_ago = timezone.now() - timedelta(seconds=settings.EVENT_LOST_SECONDS + 1)
    Delivery.objects.update(due_at=long_ago)
    assert deliveries.recover_lost() == 0  # their messages wait to be sent
    assert len(sent()) == 2
    assert deliveries.recover_lost() == 2
    assert deliveries.recover_lost() == 0
    assert len(sent()) == 2


def test_a_consumer_that_is_gone_becomes_a_dead_letter(alice, heard, settings):
    settings.EVENT_MAX_ATTEMPTS = 1
    delivery = Delivery.objects.create(lab=alice.lab, consumer="tried.gone", event=event(alice).plain())
    deliveries.consume(delivery.id)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == (Delivery.State.DEAD, "KeyError: 'tried.gone'")


@pytest.mark.django_db(transaction=True)
def test_one_that_hangs_leaves_the_other_process_to_the_rest(alice, heard, monkeypatch):
    hangs, go_on = Flag(), Flag()

    def hang(told: ImagesClassified) -> None:
        hangs.set()
        assert go_on.wait(20)

    kind = CONSUMERS["tried.fails"].__class__
    monkeypatch.setitem(CONSUMERS, "tried.fails", kind("tried.fails", ImagesClassified, Queue.EVENTS, hang))
    publish(event(alice))
    publish(ImagesClassified(alice.lab.id, alice.case("B-1").id, 1, 0))
    first, second = Delivery.objects.filter(consumer="tried.fails").order_by("id")
    Delivery.objects.filter(id=first.id).update(attempts=1)  # it has failed before

    def in_hand() -> None:
        deliveries.consume(first.id)
        connection.close()

    thread = Thread(target=in_hand)
    thread.start()
    try:
        assert hangs.wait(20)
        deliveries.consume(first.id)  # in hand: at once
        deliveries.consume(second.id)  # not tried: at once
        second.refresh_from_db()
        assert second.attempts == 0
        assert OutboxEntry.objects.filter(task=CONSUME, args=[str(second.id)]).count() == 2
    finally:
        go_on.set()
        thread.join()
    assert list(Delivery.objects.filter(consumer="tried.fails")) == [second]


@pytest.mark.usefixtures("bracketed")
def test_dead_events_are_listed_in_the_language_of_whoever_asks(alice):
    Delivery.objects.create(
        lab=alice.lab, consumer="tried.fails", event={}, state=Delivery.State.DEAD, error=deliveries.STOPPED
    )
    said = StringIO()
    call_command("dead_events", stdout=said)
    assert f"⟦{deliveries.STOPPED}⟧" in said.getvalue()
