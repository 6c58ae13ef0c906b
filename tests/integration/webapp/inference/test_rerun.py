"""A newer version says again what the cells of a case are: on real locks, while images arrive."""

import threading
import uuid
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import close_old_connections, connection
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from serving.contract.sentence import Sentence
from tests.integration.webapp.inference.test_services import LABELS, answer, claim, receive
from tests.support.people import person
from webapp.audit.models import Entry
from webapp.cases.models import Case, Cell, Image, Review
from webapp.cases.refusals import Refusal
from webapp.inference import selectors, services
from webapp.inference.answers import Refused
from webapp.inference.models import Chunk, Prediction
from webapp.inference.rerun import NothingAnswers, rerun
from webapp.labs.permissions import Role
from webapp.outbox.models import OutboxEntry
from webapp.outbox.queues import Queue
from webapp.registry.models import ModelVersion


def publish(number, **changes):
    values = {"labels": LABELS, "review_threshold": 0.8, "info": {}, "published_at": timezone.now()}
    return ModelVersion.objects.create(name="hematovision", version=number, **(values | changes))


@pytest.fixture
def old(db):
    return publish(1)


@pytest.fixture
def case(alice):
    with scope(lab=alice.lab):
        yield alice.case()


def sha_of(image):
    return uuid.UUID(int=image.id).bytes * 2


def record(chunk, version, images, **said):
    services.record(
        chunk, version, [answer(image.id, sha_of(image), **said) for image in images], [], uuid.uuid4().hex
    )


def classified(case, how_many, version):
    """Images that `version` has answered for: neutrophils."""
    images = receive(case, how_many)
    chunk = claim(Chunk.objects.latest("id").id)
    services.record(chunk, version, [answer(one.id, sha_of(one)) for one in images], [], uuid.uuid4().hex)
    return images


def files_of(case):
    rows = Image.objects.filter(case=case).order_by("id").values()
    tiles = Cell.objects.filter(image__case=case).order_by("id").values()
    return list(rows), list(tiles)


def counted(case):
    """Of each cell of the case what counts: version and class."""
    rows = Prediction.objects.filter(cell__image__case=case, current=True).order_by("cell_id")
    return list(rows.values_list("model_version__version", "cell_class"))


def last_chunk():
    return Chunk.objects.latest("id")


def test_the_newer_prediction_counts_and_the_older_is_kept(case, old):
    images = classified(case, 2, old)
    before = files_of(case)
    new = publish(2)
    done = rerun(case)
    assert (done.images, done.recalled, done.version) == (2, 0, new)
    assert (selectors.asked_again(case), selectors.times_rerun(case)) == (2, 0)
    assert counted(case) == [(1, "neutrophil")] * 2  # until it is said
    chunk = claim(last_chunk().id)
    record(chunk, new, images, cell_class="platelet")
    assert counted(case) == [(2, "platelet")] * 2
    assert list(Prediction.objects.filter(current=False).values_list("model_version__version")) == [(1,)] * 2
    assert (selectors.asked_again(case), selectors.times_rerun(case)) == (0, 1)
    assert selectors.models_of(case) == [(new, 2)]
    assert files_of(case) == before


def test_it_goes_by_the_bulk_queue_in_chunks(case, old):
    classified(case, 64, old)
    classified(case, 1, old)
    OutboxEntry.objects.all().delete()
    publish(2)
    rerun(case)
    assert list(OutboxEntry.objects.values_list("queue", flat=True)) == [Queue.BULK] * 2
    assert sorted(chunk.images.count() for chunk in Chunk.objects.filter(state="queued")) == [1, 64]


def test_what_the_version_has_answered_is_left_out(case, old):
    classified(case, 1, old)
    new = publish(2)
    classified(case, 1, new)
    assert rerun(case).images == 1
    assert rerun(case).images == 0  # on its way already
    assert Chunk.objects.filter(state="queued").count() == 1


def test_after_a_rollback_what_it_said_counts_again_without_being_asked(case, old):
    images = classified(case, 1, old)
    new = publish(2)
    rerun(case)
    record(claim(last_chunk().id), new, images, cell_class="platelet")
    ModelVersion.objects.filter(id=new.id).update(withdrawn_at=timezone.now())
    done = rerun(case)
    assert (done.images, done.recalled) == (0, 1)
    assert selectors.times_rerun(case) == 2
    assert counted(case) == [(1, "neutrophil")]
    assert Prediction.objects.count() == 2


def test_an_answer_of_the_version_before_is_not_taken(case, old):
    images = classified(case, 1, old)
    new = publish(2)
    rerun(case)
    chunk = claim(last_chunk().id)
    record(chunk, old, images)
    chunk.refresh_from_db()
    assert (chunk.state, chunk.attempts, chunk.deferrals) == ("queued", 0, 1)
    assert "newest version" in str(selectors.model_notice(case))
    record(claim(chunk.id), new, images, cell_class="platelet")
    assert counted(case) == [(2, "platelet")]


def test_images_in_hand_of_the_version_before_are_answered_for_by_the_new_one(case, old):
    images = receive(case, 1)
    held = claim(last_chunk().id)
    new = publish(2)
    assert rerun(case).images == 0
    record(held, old, images)
    assert counted(case) == []
    assert Image.objects.get(id=images[0].id).status == "received"
    record(claim(held.id), new, images)
    assert counted(case) == [(2, "neutrophil")]


def test_images_that_come_later_are_answered_for_by_the_new_one(case, old):
    classified(case, 1, old)
    publish(2)
    rerun(case)
    late = receive(case, 1)
    record(claim(last_chunk().id), old, late)
    assert last_chunk().state == "queued"


def test_an_image_that_cannot_be_read_again_stays_what_it_was(case, old):
    first, second = classified(case, 2, old)
    new = publish(2)
    rerun(case)
    before = files_of(case)
    chunk = claim(last_chunk().id)
    refusals = [Refused(second.id, Refusal.NOT_UPLOADED, Sentence("gone"))]
    said = [answer(first.id, sha_of(first), cell_class="platelet")]
    services.record(chunk, new, said, refusals, "")
    assert counted(case) == [(2, "platelet"), (1, "neutrophil")]
    assert files_of(case) == before


def test_a_chunk_that_fails_is_halved_and_dead_letters_leave_the_images_alone(case, old, settings):
    classified(case, 2, old)
    before = files_of(case)
    new = publish(2)
    rerun(case)
    for _ in range(settings.CHUNK_MAX_ATTEMPTS):
        services.attempt_failed(claim(last_chunk().id), Sentence("broken"))
    halves = Chunk.objects.filter(state="queued", live_only=True)
    assert [chunk.images.count() for chunk in halves] == [1, 1]
    services.dead_letter(claim(halves[0].id), Sentence("rejected"))
    assert files_of(case) == before
    assert services.requeue(case) == 1
    services.dead_letter(claim(Chunk.objects.filter(state="queued").earliest("id").id), Sentence("rejected"))
    assert rerun(case).images == 1  # the other half is on its way
    assert not Chunk.objects.filter(state="dead").exists()
    assert new == rerun(case).version


def test_what_is_split_off_after_it_is_asked_of_the_new_version_too(case, old):
    images = receive(case, 4)
    held = claim(last_chunk().id)
    publish(2)
    rerun(case)
    assert services.split_off(held, [images[0].id, images[1].id])
    assert last_chunk().id != held.id
    assert last_chunk().live_only


def test_dead_letters_from_before_are_asked_of_the_new_version_too(case, old):
    receive(case, 1)
    services.dead_letter(claim(last_chunk().id), Sentence("rejected"))
    publish(2)
    rerun(case)
    services.requeue(case)
    assert last_chunk().live_only


def test_it_is_on_record_once(case, old):
    classified(case, 3, old)
    publish(2)
    rerun(case, by="ops@host")
    rerun(case, by="ops@host")
    (entry,) = Entry.objects.filter(chain=case.lab_id, action="case.rerun")
    assert (entry.actor_name, entry.subject) == ("ops@host", "A-1")
    assert entry.after == {"model": "hematovision 2", "images": 3, "recalled": 0}


def test_page_and_api_say_who_said_it(alice, case, old):
    images = classified(case, 2, old)
    new = publish(2)
    rerun(case)
    said = alice.api.read(f"/cases/{case.id}/").json()
    assert said["models"] == [{"model": "hematovision 1", "cells": 2}]
    assert said["asked_again"] == 2
    page = alice.browser.get(f"/cases/{case.id}/").content.decode()
    assert "The newest version is asked again of 2 images." in page
    record(claim(last_chunk().id), new, images)
    said = alice.api.read(f"/cases/{case.id}/").json()
    assert (said["models"], said["asked_again"]) == ([{"model": "hematovision 2", "cells": 2}], 0)
    assert "asked again" not in alice.browser.get(f"/cases/{case.id}/").content.decode()


def test_without_a_version_nothing_is_asked(case):
    with pytest.raises(NothingAnswers):
        rerun(case)


def command(*arguments):
    out = StringIO()
    call_command("rerun_model", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_takes_a_case_or_a_day(alice, case, old):
    classified(case, 2, old)
    publish(2)
    assert "A-1: 2 images to hematovision, version 2." in command("--case", "A-1")
    assert "0 images of 1 case " in command("--since", "2020-01-01")
    assert "of 0 cases" in command("--since", "2999-01-01")
    with pytest.raises(CommandError, match="no open case"):
        command("--case", "A-2")
    with pytest.raises(CommandError):
        command()


def test_what_is_signed_is_left_alone(alice, case, old):
    classified(case, 2, old)
    publish(2)
    Case.objects.filter(id=case.id).update(review=Review.SIGNED)
    with pytest.raises(CommandError, match="no open case"):
        command("--case", "A-1")


def test_the_command_asks_of_which_lab(alice, case, charlie, old):
    charlie.case()
    with pytest.raises(CommandError, match="Several labs"):
        command("--case", "A-1")
    assert "0 images of 1 case " in command("--case", "A-1", "--lab", charlie.lab.name)


@pytest.mark.django_db(transaction=True)
def test_reruns_and_arrivals_at_once_leave_every_cell_to_the_newest_version(lab):
    """Threads on connections of their own: two re-runs, a worker that the old version answered, arrivals."""
    ready, failures = threading.Barrier(4), []
    old = publish(1)
    alice = person(lab, "Alice", Role.TECHNICIAN)
    case = alice.case()
    with scope(lab=lab):
        classified(case, 2, old)
        held_images = receive(case, 2)
        held = claim(last_chunk().id, "slow")
        new = publish(2)

    def at_once(deed):
        def run():
            try:
                with scope(lab=lab):
                    ready.wait(10)
                    deed()
            except Exception as error:  # noqa: BLE001 - told to the test
                failures.append(error)
            finally:
                close_old_connections()
                connection.close()

        return threading.Thread(target=run)

    deeds = [
        lambda: rerun(case),
        lambda: rerun(case),
        lambda: record(held, old, held_images),
        lambda: receive(case, 2),
    ]
    threads = [at_once(deed) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    with scope(lab=lab):
        rerun(
            case
        )  # what the slow worker recorded before the first re-run began, it asked of; nothing else is new
        assert Entry.objects.filter(chain=lab.id, action="case.rerun").count() in (1, 2)
        for chunk in Chunk.objects.filter(state="queued").order_by("id"):
            assert chunk.live_only or not chunk.images.filter(status="classified").exists()
            taken = claim(chunk.id, "quick")
            record(taken, new, list(chunk.images.all()))
        assert len(counted(case)) == 6
        assert {version for version, _ in counted(case)} == {2}
        assert Prediction.objects.filter(current=True).count() == 6
        assert Image.objects.filter(case=case, status="classified").count() == 6
    with scopes_disabled():
        assert not Chunk.objects.exclude(state="done").exists()
