"""What becomes of an event on its way to one consumer: run, retried, a dead letter, requeued.

A consumer that fails is retried alone, with backing off; after EVENT_MAX_ATTEMPTS its event is a dead letter,
which an operator can requeue. One that hangs has one process at most, so that the others go on.
"""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from serving.contract.sentence import N_
from webapp.outbox.events import CONSUME, CONSUMERS, Consumer
from webapp.outbox.models import Delivery
from webapp.outbox.queues import Queue
from webapp.outbox.retrying import back_off, try_lock
from webapp.outbox.services import enqueue, is_enqueued
from webapp.telemetry import metrics

STOPPED = N_("The worker stopped each time it had this event in hand.")

log = structlog.get_logger(__name__)


def consume(delivery_id: int) -> None:
    """Run the consumer. A second message for the same event finds it done, or in hand."""
    delivery = _claim(delivery_id)
    if delivery is None:
        return
    try:
        with transaction.atomic():
            held = Delivery.objects.select_for_update(skip_locked=True).filter(
                id=delivery.id, state=Delivery.State.WAITING, attempts=delivery.attempts
            )
            if not held:
                return
            if _is_troubled(delivery) and not try_lock(f"consumer {delivery.consumer}"):
                _wait_for_turn(delivery)
                return
            consumer = CONSUMERS[delivery.consumer]
            consumer.run(consumer.event.parse(delivery.event))
            delivery.delete()
    except Exception as error:  # noqa: BLE001 - whatever a consumer raises is its own, and told to operators
        _attempt_failed(delivery, f"{type(error).__name__}: {error}")


@transaction.atomic
def recover_lost() -> int:
    """Enqueue events again whose worker or message is gone; returns how many. Runs over all labs."""
    before = timezone.now() - timedelta(seconds=settings.EVENT_LOST_SECONDS)
    lost = list(
        Delivery.objects.filter(~is_enqueued(CONSUME), state=Delivery.State.WAITING, due_at__lt=before)
        .select_for_update(skip_locked=True)
        .order_by("id")[:1000]
    )
    for delivery in lost:
        _enqueue(delivery)
    return len(lost)


def dead_letters() -> QuerySet[Delivery]:
    """Of all labs, oldest first."""
    return Delivery.objects.filter(state=Delivery.State.DEAD).select_related("lab").order_by("id")


@transaction.atomic
def requeue(consumer: str = "") -> int:
    """Try dead letters again, from the first attempt: all, or those of one consumer; returns how many."""
    dead = Delivery.objects.filter(state=Delivery.State.DEAD).select_for_update().order_by("id")
    found = list(dead.filter(consumer=consumer) if consumer else dead)
    for delivery in found:
        delivery.state, delivery.attempts, delivery.error = Delivery.State.WAITING, 0, ""
        delivery.save(update_fields=["state", "attempts", "error"])
        _enqueue(delivery)
    return len(found)


@transaction.atomic
def _claim(delivery_id: int) -> Delivery | None:
    """Count an attempt before it is made: one that takes its worker with it counts as well."""
    delivery = (
        Delivery.objects.select_for_update(skip_locked=True)
        .filter(id=delivery_id, state=Delivery.State.WAITING)
        .first()
    )
    if delivery is None:
        return None
    if delivery.attempts >= settings.EVENT_MAX_ATTEMPTS:
        _mark_dead(delivery, delivery.error or STOPPED)
        return None
    delivery.attempts, delivery.due_at = delivery.attempts + 1, timezone.now()
    delivery.save(update_fields=["attempts", "due_at"])
    return delivery


def _is_troubled(delivery: Delivery) -> bool:
    """Whether its consumer has failed of late, with this event or with another."""
    waiting = Delivery.objects.filter(consumer=delivery.consumer, state=Delivery.State.WAITING)
    return delivery.attempts > 1 or waiting.filter(attempts__gt=1).exists()


def _wait_for_turn(delivery: Delivery) -> None:
    """It was not tried: the process is left to other consumers."""
    Delivery.objects.filter(id=delivery.id).update(attempts=F("attempts") - 1)
    _enqueue(delivery, timedelta(seconds=settings.EVENT_RETRY_FIRST_SECONDS))


@transaction.atomic
def _attempt_failed(delivery: Delivery, why: str) -> None:
    current = (
        Delivery.objects.select_for_update()
        .filter(id=delivery.id, state=Delivery.State.WAITING, attempts=delivery.attempts)
        .first()
    )
    if current is None:  # another has it in hand by now
        return
    metrics.events_failed.labels(delivery.consumer).inc()
    if delivery.attempts >= settings.EVENT_MAX_ATTEMPTS:
        _mark_dead(current, why)
        return
    wait = back_off(
        delivery.attempts,
        first=settings.EVENT_RETRY_FIRST_SECONDS,
        longest=settings.EVENT_RETRY_LONGEST_SECONDS,
    )
    log.warning("consumer failed", consumer=delivery.consumer, attempts=delivery.attempts, error=why)
    current.error = why[:500]
    current.save(update_fields=["error"])
    _enqueue(current, wait)


def _mark_dead(delivery: Delivery, why: str) -> None:
    log.error("event is a dead letter", consumer=delivery.consumer, delivery=delivery.id, error=why)
    delivery.state, delivery.error = Delivery.State.DEAD, why[:500]
    delivery.save(update_fields=["state", "error"])


def _enqueue(delivery: Delivery, wait: timedelta = timedelta(0)) -> None:
    consumer: Consumer | None = CONSUMERS.get(delivery.consumer)
    Delivery.objects.filter(id=delivery.id).update(due_at=timezone.now() + wait)
    enqueue(delivery.lab_id, consumer.queue if consumer else Queue.EVENTS, CONSUME, [delivery.id], wait=wait)
