"""Tasks that wait for the broker on a real database: turns of labs, back-offs, a broker that fails."""

from datetime import timedelta

import pytest

from webapp.outbox import services
from webapp.outbox.models import OutboxEntry
from webapp.outbox.queues import Queue


def test_labs_take_turns(alice, charlie):
    services.enqueue(alice.lab.id, Queue.BULK, "t", range(10))
    services.enqueue(charlie.lab.id, Queue.BULK, "t", range(1))
    sent: list[OutboxEntry] = []
    assert services.send_due("bulk", 4, sent.append) == 4
    assert [entry.lab_id for entry in sent].count(charlie.lab.id) == 1
    assert {sent[0].lab_id, sent[1].lab_id} == {alice.lab.id, charlie.lab.id}
    assert services.send_due("interactive", 4, sent.append) == 0
    assert services.send_due("bulk", 100, sent.append) == 7
    assert len({entry.id for entry in sent}) == 11


def test_labs_take_turns_when_there_is_room_for_one(alice, charlie):
    services.enqueue(alice.lab.id, Queue.BULK, "t", range(10))
    services.enqueue(charlie.lab.id, Queue.BULK, "t", range(2))
    sent: list[OutboxEntry] = []
    while services.send_due("bulk", 1, sent.append):
        pass
    assert [entry.lab_id == charlie.lab.id for entry in sent[:5]].count(True) == 2
    assert len(sent) == 12


def test_a_broker_that_fails_leaves_everything_due(alice):
    services.enqueue(alice.lab.id, Queue.INTERACTIVE, "t", range(1))

    def fail(entry):
        raise ConnectionError

    with pytest.raises(ConnectionError):
        services.send_due("interactive", 5, fail)
    assert services.send_due("interactive", 5, lambda entry: None) == 1


def test_delayed_work_waits(alice):
    services.enqueue(alice.lab.id, Queue.BULK, "t", [1], wait=timedelta(hours=1))
    assert services.send_due("bulk", 5, lambda entry: None) == 0
