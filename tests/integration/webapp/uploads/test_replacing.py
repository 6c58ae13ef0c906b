"""A file that is given in place of a refused or failed one accounts for it: once, on record, and for good."""

import hashlib
import io
import threading

import httpx
import pytest
from django.db import connection
from django_scopes import scope

from infra.demo.cells import draw
from serving.contract.sentence import Sentence
from tests.support.pages import add_unusable, plain_static
from tests.support.people import person
from tests.support.present import present
from webapp.audit.models import Entry
from webapp.cases.models import Image, Processing
from webapp.cases.processing import unsettled
from webapp.cases.refusals import Refusal
from webapp.cases.selectors import outstanding, progress_of
from webapp.cases.specimen_services import add_slide
from webapp.inference import services as inference
from webapp.inference.answers import Refused
from webapp.inference.models import Chunk
from webapp.labs.permissions import Role
from webapp.uploads.services import CannotBeReplaced, File, begin, complete, receive

__all__ = ["plain_static"]
pytestmark = pytest.mark.usefixtures("fresh_rates", "plain_static")


@pytest.fixture
def case(alice):
    with scope(lab=alice.lab):
        yield alice.case()
        assert not list(unsettled())


def picture(which):
    out = io.BytesIO()
    draw("monocyte", which).save(out, "PNG")
    return out.getvalue()


def file(name, content, **more):
    return File(name, len(content), hashlib.sha256(content).digest(), **more)


def end(image_id, refusal=Refusal.DAMAGED):
    chunk = present(
        inference.claim(Chunk.objects.get(images=image_id).id, holder=f"t/{image_id}", redelivered=False)
    )
    inference.record(chunk, None, [], [Refused(image_id, refusal)], "")


def refused(case, name="a.jpg", content=b"\xff\xd8\xff not much", refusal=Refusal.DAMAGED, **more):
    (upload,) = begin(case, [file(name, content)], **more)
    complete(case, [upload.image.id])
    end(upload.image.id, refusal)
    return upload.image


def failed(case, name="a.jpg"):
    (upload,) = begin(case, [file(name, name.encode())])
    complete(case, [upload.image.id])
    chunk = present(inference.claim(Chunk.objects.get(images=upload.image).id, holder="t", redelivered=False))
    inference.dead_letter(chunk, Sentence("No."))
    return upload.image


def now(image):
    return Image.objects.get(id=image.id)


def state(case):
    case.refresh_from_db()
    progress = progress_of([case])[case.id]
    return progress.state, progress.refused, progress.failed, progress.replaced, progress.received


def replace(case, image, name="b.jpg", content=b"\xff\xd8\xff another", **more):
    (upload,) = begin(case, [file(name, content, replaces=image.id)], **more)
    return upload


def test_a_refused_file_is_accounted_for_from_the_moment_another_is_given(alice, case):
    slide = add_slide(case, label="S 1")
    image = refused(case, slide=slide)
    upload = replace(case, image, by=alice.membership.user)
    assert upload.form
    assert now(image).replaced_by == upload.image
    assert upload.image.slide == slide
    assert now(upload.image).uploaded_by == alice.membership.user
    assert not outstanding().exists()
    assert state(case) == (Processing.RECEIVING, 0, 0, 1, 0)
    (entry,) = Entry.objects.filter(chain=alice.lab.id, action="case.image_replaced")
    assert (entry.before, entry.after) == ({"image": image.id}, {"image": upload.image.id})
    complete(case, [upload.image.id])
    end(upload.image.id)
    assert [one.id for one in outstanding()] == [upload.image.id]
    assert state(case) == (Processing.DONE, 1, 0, 1, 0)


def test_a_failed_file_is_nothing_to_attend_to_any_more_and_is_never_requeued(case):
    image, stays = failed(case), failed(case, "c.jpg")
    assert state(case)[0] == Processing.NEEDS_ATTENTION
    upload = replace(case, image)
    complete(case, [upload.image.id])
    assert inference.requeue(case, [image.id]) == 0
    assert inference.requeue(case) == 1
    assert now(image).status == Image.Status.FAILED
    assert now(stays).status == Image.Status.RECEIVED
    end(upload.image.id)
    end(stays.id)
    assert state(case) == (Processing.DONE, 2, 0, 1, 0)
    assert not Chunk.objects.filter(state=Chunk.State.DEAD).exists()


def test_one_of_several_failed_ones_is_requeued_alone(case):
    first, second = failed(case), failed(case, "c.jpg")
    assert inference.requeue(case, [second.id]) == 1
    assert (now(first).status, now(second).status) == (Image.Status.FAILED, Image.Status.RECEIVED)


def test_the_last_of_a_chain_is_the_one_to_look_after(case):
    image = refused(case)
    second = replace(case, image, "notes.txt").image
    assert second.refusal == Refusal.UNSUPPORTED_TYPE
    assert [one.id for one in outstanding()] == [second.id]
    third = replace(case, second, "d.jpg", b"\xff\xd8\xff third").image
    assert not outstanding().exists()
    assert (now(image).replaced_by_id, now(second).replaced_by_id) == (second.id, third.id)


def test_a_picture_that_the_case_has_accounts_for_it(case):
    (there,) = receive(case, [("there.png", 1, io.BytesIO(b"x"))])
    image = refused(case)
    upload = replace(case, image, "copy.png", b"x")
    assert (upload.already, upload.form, upload.image.id) == (True, None, there.image.id)
    assert now(image).replaced_by == there.image


def test_the_same_file_again_and_one_that_was_refused_before_account_for_nothing(case):
    content = b"\xff\xd8\xff not much"
    image, other = refused(case, content=content), refused(case, "o.jpg", b"\xff\xd8\xff other")
    same = replace(case, image, "a.jpg", content)
    assert (same.already, same.form) == (True, None)
    before = replace(case, image, "o.jpg", b"\xff\xd8\xff other")
    assert (before.already, before.image.id) == (True, other.id)
    assert now(image).replaced_by is None
    assert outstanding().count() == 2


def test_two_cannot_account_for_each_other(case):
    """Their bytes never came, so those of each are wanted still: until one was given for the other."""
    one = refused(case, "1.jpg", b"1", Refusal.NOT_UPLOADED)
    two = refused(case, "2.jpg", b"2", Refusal.NOT_UPLOADED)
    assert replace(case, one, "2.jpg", b"2").form
    assert not replace(case, two, "1.jpg", b"1").form
    assert now(one).replaced_by == two
    assert [image.id for image in outstanding()] == [two.id]


def test_bytes_of_what_was_replaced_are_wanted_no_more(case):
    image = refused(case, refusal=Refusal.NOT_UPLOADED)
    replace(case, image)
    (again,) = begin(case, [file("a.jpg", b"\xff\xd8\xff not much")], again=True)
    assert (again.already, again.form, again.image.id) == (True, None, image.id)
    assert complete(case, [image.id]) == 0
    assert now(image).status == Image.Status.REFUSED


@pytest.mark.parametrize("when", ["replaced", "counts", "another case's", "nothing"])
def test_what_needs_no_other_file_gets_none(alice, case, when):
    image = refused(case)
    if when == "replaced":
        replace(case, image)
    elif when == "counts":
        (upload,) = begin(case, [file("w.png", b"w")])
        image = upload.image
    elif when == "another case's":
        image = refused(alice.case("A-2"))
    else:
        image.id = 10**12
    rows = Image.objects.filter(case=case).count()
    with pytest.raises(CannotBeReplaced):
        replace(case, image, "late.jpg", b"late")
    assert Image.objects.filter(case=case).count() == rows


def test_two_files_for_one_are_one_too_many(case):
    image = refused(case)
    files = [file(name, name.encode(), replaces=image.id) for name in ("b.jpg", "c.jpg")]
    with pytest.raises(CannotBeReplaced):
        begin(case, files)
    assert now(image).replaced_by is None


@pytest.mark.django_db(transaction=True)
def test_of_two_who_replace_a_file_at_once_one_does(alice):
    with scope(lab=alice.lab):
        case = alice.case()
        image = refused(case)
    start, said = threading.Barrier(2), []

    def give(name):
        with scope(lab=alice.lab):
            start.wait()
            try:
                said.append(replace(case, image, name, name.encode()).image.id)
            except CannotBeReplaced as error:
                said.append(str(error))
        connection.close()

    threads = [threading.Thread(target=give, args=(f"{number}.jpg",)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with scope(lab=alice.lab):
        assert now(image).replaced_by_id in said
        assert Image.objects.filter(case=case).count() == 2
    assert [answer for answer in said if isinstance(answer, str)]


# --- API and pages


def test_the_api_lists_them_takes_another_and_says_that_it_did(alice, case):
    image = refused(case)
    path = f"/cases/{case.id}/uploads/"
    (row,) = alice.api.read("/outstanding-files/").json()["results"]
    assert (row["id"], row["accession"], row["reason"]["code"]) == (image.id, "A-1", "damaged")
    content = picture(1)
    sent = {
        "name": "b.png",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "replaces": image.id,
    }
    answer = alice.api.send(path, {"files": [sent]})
    assert answer.status_code == 201
    (upload,) = answer.json()["uploads"]
    httpx.post(upload["url"], data=upload["fields"], files={"file": content}).raise_for_status()
    assert alice.api.send(f"{path}complete/", {"ids": [upload["id"]]}).json()["accepted"] == 1
    assert alice.api.read("/outstanding-files/").json()["results"] == []
    (first, second) = alice.api.read(f"/cases/{case.id}/images/").json()["results"]
    assert (first["replaced_by"], second["uploaded_by"]) == (second["id"], "Alice")
    again = alice.api.send(path, {"files": [{**sent, "sha256": None}]})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "cannot_be_replaced")
    progress = alice.api.read(f"/cases/{case.id}/").json()["progress"]
    assert (progress["total"], progress["replaced"], progress["refused"]) == (2, 1, 0)


def test_one_request_takes_one_file_in_place_of_one(alice, case):
    image = refused(case)
    path = f"/api/v1/cases/{case.id}/images/"

    def give(*contents):
        files = [io.BytesIO(content) for content in contents]
        for number, given in enumerate(files):
            given.name = f"{number}.png"
        return alice.api.post(path, {"files": files, "replaces": image.id})

    assert give(b"1", b"2").status_code == 400
    (row,) = give(b"1").json()
    assert now(image).replaced_by_id == row["id"]


def test_some_failed_images_are_requeued_by_their_ids(alice, case):
    first, second = failed(case), failed(case, "c.jpg")
    path = f"/cases/{case.id}/requeue/"
    assert alice.api.send(path, {"images": [second.id]}).json() == {"images": 1}
    assert alice.api.send(path, {"images": ["x"]}).status_code == 400
    sent = {"image": first.id, "back": "outstanding"}
    assert alice.browser.post(path, sent).headers["Location"] == "/files/"
    assert alice.browser.post(path, {"image": "x"}).status_code == 404
    assert now(first).status == Image.Status.RECEIVED


def test_the_page_lists_files_of_all_cases_with_reason_time_and_giver(alice, case):
    with_giver = refused(case, by=alice.membership.user)
    add_unusable(alice, alice.case("A-2"), Image.Status.FAILED)
    refused(case, "twice.jpg", b"2", Refusal.DUPLICATE)
    page = alice.browser.get("/files/").content.decode()
    for text in (
        "a.jpg",
        "A-1",
        "damaged or cut short",
        "Alice",
        "failed-0.jpg",
        "A-2",
        "Try again",
        "Replace",
    ):
        assert text in page
    assert "twice.jpg" not in page
    alone = alice.browser.get("/files/?status=failed").content.decode()
    assert "failed-0.jpg" in alone
    assert "a.jpg" not in alone
    assert alice.browser.get("/files/?status=classified").status_code == 404
    replace(case, with_giver)
    assert "a.jpg" not in alice.browser.get("/files/").content.decode()
    files = alice.browser.get(f"/cases/{case.id}/files/?status=replaced").content.decode()
    assert "Replaced by b.jpg." in files


def test_who_may_not_upload_sees_them_and_replaces_none(alice, case):
    image = failed(case)
    supervisor = person(alice.lab, "Sue", Role.SUPERVISOR)
    page = supervisor.browser.get("/files/").content.decode()
    assert "Try again" in page
    assert 'type="file"' not in page
    assert f'data-replaces="{image.id}"' not in page


def test_another_labs_files_are_none(alice, charlie, case):
    refused(case)
    assert "a.jpg" not in charlie.browser.get("/files/").content.decode()
    assert charlie.api.read("/outstanding-files/").json()["results"] == []


def test_the_case_shows_what_can_be_done_beside_each_file(alice, case):
    image = refused(case)
    refused(case, "twice.jpg", b"2", Refusal.DUPLICATE)
    page = alice.browser.get(f"/cases/{case.id}/").content.decode()
    assert page.count("data-replaces=") == 1
    assert f'data-replaces="{image.id}"' in page
