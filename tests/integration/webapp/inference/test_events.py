"""What inference publishes: results, and that a case came to rest, once each time."""

from threading import Barrier, Thread

import pytest
from django.db import connection
from django_scopes import scope

from serving.contract.sentence import Sentence
from tests.integration.webapp.inference.test_services import answer, case, claim, receive, version
from webapp.cases import processing
from webapp.cases.models import Image
from webapp.inference import services
from webapp.inference.models import Chunk
from webapp.outbox.events import Event, ImagesClassified, ProcessingFinished

__all__ = ["case", "version"]


@pytest.fixture
def published(monkeypatch):
    told: list[Event] = []
    for publisher in (services, processing):
        monkeypatch.setattr(publisher, "publish", told.append)
    return told


def finished(published) -> list[ProcessingFinished]:
    return [event for event in published if isinstance(event, ProcessingFinished)]


def test_results_are_published_and_the_last_of_them_that_it_is_finished(case, version, published):
    images = [*receive(case, 1), *receive(case, 1)]
    first, last = Chunk.objects.order_by("id")
    services.record(claim(first.id), version, [answer(images[0].id)], [], "first")
    assert published == [ImagesClassified(case.lab_id, case.id, classified=1, refused=0)]
    services.record(claim(last.id), version, [answer(images[1].id)], [], "last")
    assert published[1:] == [
        ImagesClassified(case.lab_id, case.id, classified=1, refused=0),
        ProcessingFinished(case.lab_id, case.id, classified=2, refused=0, failed=0),
    ]


def test_a_case_that_awaits_files_is_not_finished(case, version, published):
    (image,) = receive(case, 1)
    Image.objects.create(lab_id=case.lab_id, case=case, name="b", key="b", bytes=1)
    services.record(claim(Chunk.objects.get().id), version, [answer(image.id)], [], "pack")
    assert not finished(published)


def test_each_time_that_it_comes_to_rest_it_is_published_once(case, version, published, settings):
    (image,) = receive(case, 1)
    chunk = claim(Chunk.objects.get().id)
    services.dead_letter(chunk, Sentence("rejected"))
    services.dead_letter(chunk, Sentence("rejected"))  # a second delivery
    assert finished(published) == [
        ProcessingFinished(case.lab_id, case.id, classified=0, refused=0, failed=1)
    ]
    services.requeue(case)
    chunk = claim(chunk.id)
    services.record(chunk, version, [answer(image.id)], [], "pack")
    services.record(chunk, version, [answer(image.id)], [], "pack")
    assert finished(published)[1:] == [
        ProcessingFinished(case.lab_id, case.id, classified=1, refused=0, failed=0)
    ]


def test_one_that_brings_workers_down_ends_at_rest_too(case, published, settings):
    settings.CHUNK_MAX_ATTEMPTS = 1
    receive(case, 1)
    chunk = claim(Chunk.objects.get().id)
    Chunk.objects.update(lease_until=None)
    assert claim(chunk.id) is None
    assert [event.failed for event in finished(published)] == [1]


@pytest.mark.django_db(transaction=True)
def test_the_last_two_chunks_at_once_publish_it_once(alice, version, published):
    with scope(lab=alice.lab):
        case = alice.case()
        images = [*receive(case, 1), *receive(case, 1)]
        chunks = [claim(chunk.id, task=f"t-{chunk.id}") for chunk in Chunk.objects.order_by("id")]
    at_once = Barrier(2)

    def record(chunk, image) -> None:
        with scope(lab=alice.lab):
            at_once.wait()
            services.record(chunk, version, [answer(image.id)], [], f"pack-{chunk.id}")
        connection.close()

    threads = [Thread(target=record, args=pair) for pair in zip(chunks, images, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(published) == 3
    assert len(finished(published)) == 1
