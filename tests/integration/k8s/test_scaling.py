"""KEDA counts, in the database, the chunks that workers have to do: see k8s/base/scaling.yaml."""

import pytest
from django.db import connection
from django_scopes import scope

from tests.support.manifests import of_kind, render
from webapp.inference.models import Chunk
from webapp.outbox.queues import Queue


def query(queue: str) -> str:
    (trigger,) = of_kind(render("overlays/prod"), "ScaledObject")[f"worker-{queue}"]["spec"]["triggers"]
    asked: str = trigger["metadata"]["query"]
    return asked


def counted(queue: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query(queue))
        (found,) = cursor.fetchone()
    return int(found)


@pytest.mark.parametrize("queue", Queue.values)
def test_chunks_that_wait_and_those_in_hand_count(alice, queue):
    with scope(lab=alice.lab):
        case = alice.case()
        for other in Queue.values:
            Chunk.objects.bulk_create(
                Chunk(lab=alice.lab, case=case, queue=other, state=state) for state in Chunk.State.values
            )
        assert counted(queue) == 2
        Chunk.objects.filter(queue=queue).update(state=Chunk.State.DONE)
        assert counted(queue) == 0
