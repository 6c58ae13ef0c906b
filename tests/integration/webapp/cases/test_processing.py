"""How far the machine is with a case, stored: it agrees with the images after whatever becomes of them."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from serving.contract.sentence import Sentence
from webapp.cases.models import Case, Image, Processing, Review
from webapp.cases.processing import lock, settle, unsettled
from webapp.cases.refusals import Refusal
from webapp.inference import services
from webapp.inference.answers import Refused
from webapp.inference.models import Chunk
from webapp.uploads.services import File, begin, complete, finish_abandoned, receive

pytestmark = pytest.mark.usefixtures("fresh_rates")


@pytest.fixture
def case(alice):
    with scope(lab=alice.lab):
        yield alice.case()
        assert not list(unsettled())


def stored(case):
    case.refresh_from_db()
    return case.processing


def uploaded(case, n=1):
    ids = [upload.image.id for upload in begin(case, [File(f"{uuid.uuid4()}.png", 9)] * n)]
    complete(case, ids)
    return ids


def claimed(image_id):
    return services.claim(Chunk.objects.get(images=image_id).id, holder=f"t/{image_id}", redelivered=False)


def end(image_id):
    """The last that can happen to an image here, without a model."""
    services.record(claimed(image_id), None, [], [Refused(image_id, Refusal.DAMAGED)], "")


def test_a_case_without_images_receives(case):
    assert stored(case) == Processing.RECEIVING


def test_files_on_their_way_arrive_and_are_classified(case):
    (upload,) = begin(case, [File("a.png", 9)])
    assert stored(case) == Processing.RECEIVING
    complete(case, [upload.image.id])
    assert stored(case) == Processing.CLASSIFYING
    end(upload.image.id)
    assert stored(case) == Processing.DONE
    begin(case, [File("b.png", 9)])
    assert stored(case) == Processing.RECEIVING


def test_a_file_refused_outright_leaves_nothing_to_do(case):
    begin(case, [File("notes.txt", 9)])
    assert stored(case) == Processing.DONE


def test_files_through_the_web_process_take_the_same_way(case, tmp_path):
    (tmp_path / "a.png").write_bytes(b"picture")
    with (tmp_path / "a.png").open("rb") as content:
        receive(case, [("notes.txt", 7, content)])
        assert stored(case) == Processing.DONE
        receive(case, [("a.png", 7, content)])
    assert stored(case) == Processing.CLASSIFYING


def test_what_the_model_cannot_take_needs_attention_until_it_is_tried_again(case):
    first, second = uploaded(case), uploaded(case)
    end(first[0])
    services.dead_letter(claimed(second[0]), Sentence("wrong shape"))
    assert stored(case) == Processing.NEEDS_ATTENTION
    services.requeue(case)
    assert stored(case) == Processing.CLASSIFYING
    end(second[0])
    assert stored(case) == Processing.DONE


def test_a_worker_that_dies_each_time_leaves_a_case_that_needs_attention(case, settings):
    (image,) = uploaded(case)
    for _ in range(settings.CHUNK_MAX_ATTEMPTS):
        assert claimed(image)
        Chunk.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert claimed(image) is None
    assert stored(case) == Processing.NEEDS_ATTENTION


def test_what_was_abandoned_is_completed_by_the_timer(case):
    begin(case, [File("a.png", 9)])
    Image.objects.update(created_at=timezone.now() - timedelta(days=3))
    finish_abandoned()
    assert stored(case) == Processing.CLASSIFYING


def test_what_a_newer_release_may_judge_otherwise_is_awaited_again(case):
    digest = b"d" * 32
    (upload,) = begin(case, [File("a.png", 9, digest)])
    complete(case, [upload.image.id])
    end(upload.image.id)
    begin(case, [File("a.png", 9, digest)], again=True)
    assert stored(case) == Processing.RECEIVING


def test_the_state_costs_the_same_for_one_image_and_for_many(case, django_assert_num_queries):
    for n in (1, 100):
        uploaded(case, n)
        Case.objects.update(processing=Processing.DONE)
        with django_assert_num_queries(2):
            settle(case.id)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("times", range(3))
def test_of_chunks_that_end_at_once_the_last_sees_what_the_others_did(alice, times):
    with scope(lab=alice.lab):
        case = alice.case()
        images = [uploaded(case)[0] for _ in range(6)]
        chunks = [claimed(image) for image in images]
        ready = threading.Barrier(len(images))

        def finish(image, chunk):
            try:
                with scope(lab=alice.lab), transaction.atomic():
                    ready.wait()
                    services.record(chunk, None, [], [Refused(image, Refusal.DAMAGED)], "")
            finally:
                connection.close()

        threads = [threading.Thread(target=finish, args=both) for both in zip(images, chunks, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert Image.objects.filter(status=Image.Status.REFUSED).count() == len(images)
        assert stored(case) == Processing.DONE


@pytest.mark.django_db(transaction=True)
def test_what_arrives_while_the_last_chunk_ends_is_not_lost(alice):
    """The end waits for the arrival, which holds the case's lock, and then sees it."""
    with scope(lab=alice.lab):
        case = alice.case()
        (image,) = uploaded(case)
        chunk = claimed(image)
        (later,) = begin(case, [File("later.png", 9)])
        begun = threading.Event()

        def finish():
            try:
                with scope(lab=alice.lab):
                    begun.set()
                    services.record(chunk, None, [], [Refused(image, Refusal.DAMAGED)], "")
            finally:
                connection.close()

        thread = threading.Thread(target=finish)
        with transaction.atomic():
            complete(case, [later.image.id])
            thread.start()
            begun.wait()
            thread.join(0.5)
            assert thread.is_alive()
        thread.join()
        assert stored(case) == Processing.CLASSIFYING


def test_a_case_that_disagrees_with_its_images_is_found_and_repaired(alice, capsys):
    case = alice.case()
    call_command("check_processing")
    assert "Every case agrees" in capsys.readouterr().out
    with scopes_disabled():
        Case.objects.update(processing=Processing.DONE)
    with pytest.raises(CommandError, match="1 case "):
        call_command("check_processing")
    assert f"case {case.id} of lab {alice.lab.id}: stored as done, is receiving" in capsys.readouterr().out
    call_command("check_processing", repair=True)
    assert stored(case) == Processing.RECEIVING
    call_command("check_processing")


def test_a_state_that_is_right_is_not_written_again(case):
    with transaction.atomic():
        lock(case.id)
        assert settle(case.id) is None


# --- the list -------------------------------------------------------------------------------------


@pytest.fixture
def cases(alice):
    with scope(lab=alice.lab):
        for name, processing, review in (
            ("W-1", Processing.CLASSIFYING, Review.OPEN),
            ("D-1", Processing.DONE, Review.OPEN),
            ("D-2", Processing.DONE, Review.IN_REVIEW),
        ):
            Case.objects.filter(id=alice.case(name).id).update(processing=processing, review=review)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, {"W-1", "D-1", "D-2"}),
        ({"processing": "done"}, {"D-1", "D-2"}),
        ({"review": "in_review"}, {"D-2"}),
        ({"processing": "done", "review": "open"}, {"D-1"}),
        ({"processing": "needs_attention"}, set()),
    ],
)
def test_cases_are_listed_by_their_states(alice, charlie, cases, asked, found):
    charlie.case("S-1")
    listed = alice.api.read("/cases/", **asked).json()["results"]
    assert {case["accession"] for case in listed} == found
    page = alice.browser.get(reverse("ui:worklist"), asked).content.decode()
    assert {name for name in ("W-1", "D-1", "D-2", "S-1") if f">{name}<" in page} == found


@pytest.mark.parametrize("asked", [{"processing": "x"}, {"review": "x"}, {"review": "\0"}])
def test_states_that_there_are_not_are_told(alice, asked):
    assert alice.api.read("/cases/", **asked).status_code == 400
    assert alice.browser.get(reverse("ui:worklist"), asked).status_code == 404


def test_the_list_is_read_from_an_index(alice):
    with scope(lab=alice.lab), connection.cursor() as cursor:
        Case.objects.bulk_create(
            Case(lab=alice.lab, accession=f"N-{n}", created_by=alice.membership.user) for n in range(2000)
        )
        Case.objects.filter(accession="N-7").update(processing=Processing.DONE, review=Review.SIGNED)
        cursor.execute("ANALYZE cases_case")
        for name, value in (("processing", "done"), ("review", "signed")):
            found = Case.objects.filter(**{name: value}).order_by("-created_at")[:50]
            assert f"case_by_{name}" in found.explain()
