"""The life of a chunk on a real database: claims, retries, duplicates, dead letters, recovery."""

import uuid
from collections import Counter
from datetime import timedelta
from operator import attrgetter

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from serving.contract.sentence import Sentence
from tests.support.present import present
from webapp.cases.boxes import Box, BoxOutsidePicture
from webapp.cases.models import Cell, Image, TilePack
from webapp.cases.processing import unsettled
from webapp.cases.refusals import Refusal
from webapp.inference import selectors, services
from webapp.inference.answers import CellAnswer, Classified, Refused, Span
from webapp.inference.models import Chunk, Prediction
from webapp.outbox import services as outbox
from webapp.outbox.models import OutboxEntry
from webapp.registry.models import ModelVersion
from webapp.review.selectors import Counts, counts_of

LABELS = ["neutrophil", "platelet"]
WHOLE = Box(0, 0, 360, 363)


@pytest.fixture
def version(db):
    return ModelVersion.objects.create(name="m", version=1, labels=LABELS, review_threshold=0.8, info={})


@pytest.fixture
def case(alice):
    with scope(lab=alice.lab):
        case = alice.case()
        yield case
        assert not list(unsettled())


def receive(case, how_many, **options):
    images = Image.objects.bulk_create(
        Image(
            lab_id=case.lab_id,
            case=case,
            name=f"cell {number}.jpg",
            key=uuid.uuid4().hex,
            bytes=1,
            status=Image.Status.RECEIVED,
        )
        for number in range(how_many)
    )
    services.enqueue_images(case, [image.id for image in images], **options)
    return images


def claim(chunk_id, task="t-1", redelivered=False):
    return services.claim(chunk_id, holder=task, redelivered=redelivered)


def only_chunk():
    return Chunk.objects.get()


def answer(image_id, sha=None, confidence=0.9, cell_class="neutrophil", cells=None):
    return Classified(
        image_id=image_id,
        sha256=sha or uuid.uuid4().bytes * 2,
        size=10,
        width=360,
        height=363,
        object_version="v1",
        media_type="image/png",
        display_key="",
        cells=[cell(confidence, cell_class)] if cells is None else cells,
    )


def cell(confidence=0.9, cell_class="neutrophil", box=WHOLE):
    return CellAnswer(
        box=box,
        tile=Span(0, 10),
        cell_class=cell_class,
        confidence=confidence,
        flagged=confidence < 0.8,
        probabilities=[confidence, 1 - confidence],
        evidence=b"\0" * 196,
        evidence_grid=7,
        embedding=b"\0" * 8,
        distance=0.4,
    )


def statuses(case):
    return Counter(Image.objects.filter(case=case).values_list("status", flat=True))


def test_images_are_handed_over_in_chunks_of_64(case):
    receive(case, 150)
    sizes = sorted(chunk.images.count() for chunk in Chunk.objects.all())
    assert sizes == [22, 64, 64]
    assert OutboxEntry.objects.count() == 3


def test_a_chunk_is_claimed_by_one(case):
    receive(case, 2)
    chunk = only_chunk()
    assert claim(chunk.id, "t-1").attempts == 1
    assert claim(chunk.id, "t-2") is None


def test_the_message_of_a_killed_worker_may_claim_again(case):
    receive(case, 2)
    chunk = only_chunk()
    claim(chunk.id, "t-1")
    assert claim(chunk.id, "t-1") is None
    assert claim(chunk.id, "t-1", redelivered=True).attempts == 2


def test_a_lease_that_ran_out_passes_on_and_the_late_result_is_dropped(case, version):
    first, second = receive(case, 2)
    late = claim(only_chunk().id, "t-1")
    Chunk.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    quick = claim(late.id, "t-2")
    services.record(late, version, [answer(first.id), answer(second.id)], [], "")
    assert statuses(case) == {"received": 2}
    services.record(quick, version, [answer(first.id), answer(second.id)], [], "pack")
    assert statuses(case) == {"classified": 2}
    assert Prediction.objects.count() == 2


def test_results_are_recorded_once(case, version):
    first, second, third = receive(case, 3)
    chunk = claim(only_chunk().id)
    results = [answer(first.id), answer(second.id, confidence=0.5, cell_class="platelet")]
    refusals = [Refused(third.id, Refusal.DAMAGED, Sentence("cut short"))]
    services.record(chunk, version, results, refusals, "pack")
    services.record(chunk, version, results, refusals, "pack")
    assert statuses(case) == {"classified": 2, "refused": 1}
    assert counts_of(case, None) == Counts({"neutrophil": 1, "unidentified": 1})
    assert claim(chunk.id, "t-1", redelivered=True) is None
    third.refresh_from_db()
    first.refresh_from_db()
    assert (first.media_type, third.media_type) == ("image/png", "")
    assert (third.refusal, third.detail) == ("damaged", "cut short")
    assert third.finished_at


def test_a_picture_of_several_cells_takes_the_same_way(case, version):
    (field,) = receive(case, 1)
    boxes = [Box(0, 0, 100, 100), Box(260, 263, 100, 100), Box(40, 50, 60, 70)]
    said = [cell(0.9 - n / 100, box=box) for n, box in enumerate(boxes)]
    services.record(claim(only_chunk().id), version, [answer(field.id, cells=said)], [], "pack")
    cells = Cell.objects.order_by("number")
    assert [Box(*row) for row in cells.values_list("left", "top", "width", "height")] == boxes
    assert [*cells.values_list("number", "predictions__confidence")] == [(0, 0.9), (1, 0.89), (2, 0.88)]
    assert [len(row.probabilities) for row in Prediction.objects.all()] == [2, 2, 2]
    assert TilePack.objects.get().key == "pack"
    assert counts_of(case, None) == Counts({"neutrophil": 3})


@pytest.mark.parametrize(
    "box",
    [
        Box(0, 0, 361, 363),
        Box(0, 1, 360, 363),
        Box(-1, 0, 10, 10),
        Box(0, -1, 10, 10),
        Box(5, 5, 0, 10),
        Box(5, 5, 10, 0),
        Box(355, 5, 6, 5),
    ],
)
def test_a_box_outside_its_picture_is_not_recorded(case, version, box):
    (image,) = receive(case, 1)
    chunk = claim(only_chunk().id)
    with pytest.raises(BoxOutsidePicture):
        services.record(chunk, version, [answer(image.id, cells=[cell(), cell(box=box)])], [], "pack")
    assert statuses(case) == {"received": 1}
    assert not Cell.objects.exists()


@pytest.mark.parametrize(
    "wrong", [{"width": 0}, {"height": 0}, {"left": -1}, {"top": -1}, {"tile_length": 0}]
)
def test_the_database_keeps_no_box_that_cannot_be(case, version, wrong):
    (image,) = receive(case, 1)
    services.record(claim(only_chunk().id), version, [answer(image.id)], [], "pack")
    with pytest.raises(IntegrityError), transaction.atomic():
        Cell.objects.update(**wrong)


def test_recording_costs_the_same_for_one_image_and_for_many(case, version):
    def queries(n):
        images = receive(case, n)
        chunk = claim(Chunk.objects.get(images=images[0]).id, f"t-{n}")
        with CaptureQueriesContext(connection) as captured:
            services.record(chunk, version, [answer(image.id) for image in images], [], f"pack-{n}")
        return len(captured)

    assert queries(1) == queries(64)


def test_the_same_image_counts_once_in_a_chunk_and_across_chunks(case, version):
    first, second = receive(case, 2)
    services.record(
        claim(only_chunk().id), version, [answer(first.id, b"a" * 32), answer(second.id, b"a" * 32)], [], ""
    )
    (third,) = receive(case, 1)
    later = Chunk.objects.get(images=third)
    services.record(claim(later.id, "t-9"), version, [answer(third.id, b"a" * 32)], [], "pack-2")
    assert statuses(case) == {"classified": 1, "refused": 2}
    third.refresh_from_db()
    assert third.refusal == Refusal.DUPLICATE
    assert first.name in third.detail


def test_an_outage_gives_the_attempt_back_and_says_so(case):
    receive(case, 2)
    for _ in range(5):
        OutboxEntry.objects.all().delete()
        chunk = claim(only_chunk().id)
        services.defer(chunk, Sentence("The model server does not answer."))
    chunk = only_chunk()
    assert (chunk.attempts, chunk.deferrals, chunk.state) == (0, 5, "queued")
    wait = OutboxEntry.objects.get().not_before - timezone.now()
    assert timedelta(seconds=14) < wait <= timedelta(seconds=32)
    notice = present(selectors.model_notice(case))
    assert notice.startswith("The model server does not answer. 2 images are kept safe")


def test_one_image_that_fails_three_times_is_a_dead_letter_until_requeued(case, version):
    (image,) = receive(case, 1)
    for attempt in range(3):
        services.attempt_failed(claim(only_chunk().id, f"t-{attempt}"), Sentence("It broke."))
    assert statuses(case) == {"failed": 1}
    assert claim(only_chunk().id, "t-9") is None
    assert [*map(attrgetter("n", "error"), selectors.dead_letters())] == [(1, "It broke.")]
    OutboxEntry.objects.all().delete()
    assert services.requeue(case) == 1
    assert OutboxEntry.objects.count() == 1
    services.record(claim(only_chunk().id, "t-10"), version, [answer(image.id)], [], "")
    assert statuses(case) == {"classified": 1}
    assert services.requeue(case) == 0


def test_a_picture_that_kills_workers_is_found_by_halving(case, version):
    images = receive(case, 8)
    poison = images[5].id
    open_chunks = Chunk.objects.filter(state__in=["queued", "running"]).order_by("id")
    deliveries = 0
    while chunk := open_chunks.first():
        deliveries += 1
        assert deliveries < 60
        # A killed worker writes nothing; its message comes back under the same id.
        claimed = claim(chunk.id, f"t-{chunk.id}", redelivered=True)
        if claimed is None:
            continue
        ids = list(chunk.images.values_list("id", flat=True))
        if poison not in ids:
            services.record(claimed, version, [answer(image_id) for image_id in ids], [], f"pack-{chunk.id}")
    assert statuses(case) == {"classified": 7, "failed": 1}
    assert Image.objects.get(status="failed").id == poison


def test_images_that_had_no_turn_become_a_chunk_without_an_attempt(case, version):
    images = receive(case, 5)
    chunk = claim(only_chunk().id)
    OutboxEntry.objects.all().delete()
    assert services.split_off(chunk, [image.id for image in images[2:]])
    services.record(
        chunk, version, [answer(images[0].id)], [Refused(images[1].id, Refusal.TOO_COSTLY, Sentence("x"))], ""
    )
    assert statuses(case) == {"classified": 1, "refused": 1, "received": 3}
    rest = Chunk.objects.get(images=images[2])
    assert (rest.attempts, rest.state, rest.queue, rest.images.count()) == (0, "queued", "bulk", 3)
    assert [entry.args for entry in OutboxEntry.objects.all()] == [[str(rest.id)]]


def test_a_chunk_of_which_nothing_had_a_turn_is_put_back(case):
    images = receive(case, 2)
    assert not services.split_off(claim(only_chunk().id), [image.id for image in images])
    assert (only_chunk().attempts, only_chunk().state) == (0, "queued")


def test_a_claim_that_passed_on_is_not_split(case):
    images = receive(case, 2)
    late = claim(only_chunk().id, "t-1")
    Chunk.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    claim(late.id, "t-2")
    assert not services.split_off(late, [images[0].id])
    assert Chunk.objects.count() == 1


def test_a_worker_that_must_end_early_gives_its_attempts_back(case):
    receive(case, 1)
    for attempt in range(5):  # more often than CHUNK_MAX_ATTEMPTS
        claim(only_chunk().id, f"bulk@a/t-{attempt}")
        assert services.release_claims("bulk@a", blameless=True) == 1
    assert (only_chunk().attempts, only_chunk().state) == (0, "running")


def test_a_rejected_request_is_not_repeated(case):
    receive(case, 3)
    services.dead_letter(claim(only_chunk().id), Sentence("wrong shape"))
    assert statuses(case) == {"failed": 3}


def test_lost_work_is_found_and_work_in_hand_is_left_alone(case):
    receive(case, 1)
    assert services.recover_lost() == 0  # waits in the outbox
    OutboxEntry.objects.update(sent_at=timezone.now())
    assert services.recover_lost() == 0  # on its way
    OutboxEntry.objects.update(sent_at=timezone.now() - timedelta(minutes=5))
    assert services.recover_lost() == 1  # the broker lost it
    OutboxEntry.objects.update(sent_at=timezone.now() - timedelta(minutes=5))
    claim(only_chunk().id)
    assert services.recover_lost() == 0  # in hand
    Chunk.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert services.recover_lost() == 1  # whoever had it is gone


def test_a_worker_that_starts_again_frees_what_it_held(case):
    receive(case, 1)
    claim(only_chunk().id, "bulk@a/t-1")
    OutboxEntry.objects.all().delete()
    assert services.release_claims("bulk@ab") == 0
    assert services.release_claims("bulk@a") == 1
    assert OutboxEntry.objects.count() == 1
    assert claim(only_chunk().id, "bulk@b/t-2").attempts == 2


def test_an_old_outage_is_not_blamed_for_a_new_failure(case):
    (image,) = receive(case, 1)
    services.defer(claim(only_chunk().id), Sentence("The model server does not answer."))
    for attempt in range(4):  # killed each time: nothing is written
        claim(only_chunk().id, "t", redelivered=attempt > 0)
    image.refresh_from_db()
    assert image.status == Image.Status.FAILED
    assert image.detail == "The worker stopped each time it had these images in hand."


def test_the_page_says_nothing_of_an_outage_that_is_over(case):
    receive(case, 1)
    services.defer(claim(only_chunk().id), Sentence("The model server does not answer."))
    services.attempt_failed(claim(only_chunk().id), Sentence("It broke."))
    assert selectors.model_notice(case) is None


def test_when_the_model_is_back_nobody_waits_longer(case, version):
    first, second = receive(case, 1), receive(case, 1)
    for image in (*first, *second):
        services.defer(claim(Chunk.objects.get(images=image).id), Sentence("away"))
    OutboxEntry.objects.filter(not_before__lte=timezone.now()).delete()
    assert outbox.send_due("interactive", 5, lambda entry: None) == 0
    services.record(claim(Chunk.objects.get(images=first[0]).id), version, [answer(first[0].id)], [], "")
    assert outbox.send_due("interactive", 5, lambda entry: None) == 2


@pytest.mark.django_db
def test_recovery_can_use_an_index(case):
    """The subquery reads the outbox by subject, not whole."""
    receive(case, 1)
    with connection.cursor() as cursor, scopes_disabled():
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT 1 FROM outbox_outboxentry o WHERE o.task = 'x' AND o.args = ARRAY['1'::text]"
        )
        assert "outbox_by_subject" in str(cursor.fetchall())
