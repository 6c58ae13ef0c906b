"""KEDA counts, in the database, the chunks that workers have to do: see k8s/base/scaling.yaml."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from django_scopes import scope

from tests.support.manifests import of_kind, render
from webapp.inference.models import Chunk
from webapp.jobs.models import Job
from webapp.outbox.models import Delivery
from webapp.outbox.queues import CHUNKS


def query(queue: str) -> str:
    (trigger,) = of_kind(render("overlays/prod"), "ScaledObject")[f"worker-{queue}"]["spec"]["triggers"]
    asked: str = trigger["metadata"]["query"]
    return asked


def counted(queue: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query(queue))
        (found,) = cursor.fetchone()
    return int(found)


@pytest.mark.parametrize("queue", CHUNKS)
def test_chunks_that_wait_and_those_in_hand_count(alice, queue):
    with scope(lab=alice.lab):
        case = alice.case()
        for other in CHUNKS:
            Chunk.objects.bulk_create(
                Chunk(lab=alice.lab, case=case, queue=other, state=state) for state in Chunk.State.values
            )
        assert counted(queue) == 2
        Chunk.objects.filter(queue=queue).update(state=Chunk.State.DONE)
        assert counted(queue) == 0


def test_open_jobs_and_events_that_are_due_count(alice):
    assert counted("events") == 0
    due = timezone.now() - timedelta(minutes=1)
    Delivery.objects.bulk_create(
        Delivery(lab=alice.lab, consumer="c", event={}, due_at=due) for _ in range(100)
    )
    Delivery.objects.create(lab=alice.lab, consumer="c", event={}, state=Delivery.State.DEAD)
    with scope(lab=alice.lab):
        for state in Job.State:
            Job.objects.create(lab=alice.lab, owner=alice.membership.user, kind="k", state=state)
    assert counted("events") == 2 + 2
