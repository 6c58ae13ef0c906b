"""Uploads by the API, on a real database and object store, without workers."""

import hashlib
import io
import threading

import httpx
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django_scopes import scope

from tests.support.pages import page_of
from webapp.cases.models import Image, Processing, Slide
from webapp.cases.specimen_services import InUse, NoSuchSlide, add_slide, remove_slide
from webapp.outbox.models import OutboxEntry
from webapp.storage import objects
from webapp.uploads import services

pytestmark = pytest.mark.usefixtures("fresh_rates", "plain_static")
JPEG = b"\xff\xd8\xff\xe0 not much of a picture"


def begin(person, case, *names, size=None):
    body = {"files": [{"name": name, "size": len(JPEG) if size is None else size} for name in names]}
    return person.api.send(f"/cases/{case.id}/uploads/", body)


def post_to_store(upload, content=JPEG):
    return httpx.post(upload["url"], data=upload["fields"], files={"file": content})


def test_upload_straight_to_the_store(alice):
    case = alice.case()
    (upload,) = begin(alice, case, "cell.jpg").json()["uploads"]
    assert post_to_store(upload).status_code in (200, 204)
    done = alice.api.send(f"/cases/{case.id}/uploads/complete/", {"ids": [upload["id"]]})
    assert (done.status_code, done.json()) == (202, {"accepted": 1})
    with scope(lab=alice.lab):
        image = Image.objects.get(id=upload["id"])
    assert image.status == Image.Status.RECEIVED
    assert objects.get(image.key)[0] == JPEG
    assert OutboxEntry.objects.get().args == [str(image.in_chunk.chunk_id)]


def test_completing_twice_accepts_once(alice):
    case = alice.case()
    ids = [upload["id"] for upload in begin(alice, case, "a.jpg", "b.jpg").json()["uploads"]]
    path = f"/cases/{case.id}/uploads/complete/"
    assert alice.api.send(path, {"ids": ids}).json() == {"accepted": 2}
    assert alice.api.send(path, {"ids": [*ids, *ids, 10**15]}).json() == {"accepted": 0}
    assert OutboxEntry.objects.count() == 1


def test_the_store_bounds_the_size(alice, settings):
    settings.UPLOAD_MAX_BYTES = 1000
    case = alice.case()
    (upload,) = begin(alice, case, "cell.jpg", size=900).json()["uploads"]
    refused = post_to_store(upload, b"x" * 1001)
    assert refused.status_code in (400, 413)
    assert post_to_store(upload, b"x" * 1000).status_code in (200, 204)


def test_the_store_denies_a_form_for_another_key(alice):
    case = alice.case()
    (upload,) = begin(alice, case, "cell.jpg").json()["uploads"]
    upload["fields"]["key"] = "labs/another/cell"
    assert post_to_store(upload).status_code == 403


def test_objects_are_encrypted_at_rest(alice, settings):
    case = alice.case()
    (upload,) = begin(alice, case, "cell.jpg").json()["uploads"]
    post_to_store(upload)
    key = upload["fields"]["key"]
    head = objects._client().head_object(Bucket=settings.S3_BUCKET, Key=key)
    assert head["ServerSideEncryption"] == "AES256"
    del upload["fields"]["x-amz-server-side-encryption"]
    assert post_to_store(upload).status_code == 403


def test_files_that_cannot_be_taken_are_kept_as_refused(alice, settings):
    case = alice.case()
    body = {
        "files": [
            {"name": "notes.txt", "size": 10},
            {"name": "empty.jpg", "size": 0},
            {"name": "huge.tif", "size": settings.UPLOAD_MAX_BYTES + 1},
        ]
    }
    uploads = alice.api.send(f"/cases/{case.id}/uploads/", body).json()["uploads"]
    assert [upload["refused"]["code"] for upload in uploads] == ["unsupported_type", "empty", "too_large"]
    assert all(upload["url"] is None for upload in uploads)
    listed = alice.api.read(f"/cases/{case.id}/images/", status="refused").json()["results"]
    assert [row["reason"]["code"] for row in listed] == ["unsupported_type", "empty", "too_large"]
    progress = alice.api.read(f"/cases/{case.id}/").json()["progress"]
    assert (progress["refused"], progress["total"], progress["state"]) == (3, 3, Processing.DONE)


@pytest.mark.parametrize(
    "files",
    [
        None,
        [],
        [{}],
        [{"name": "a.jpg"}],
        [{"name": "a.jpg", "size": -1}],
        [{"name": "a", "size": 1}] * 501,
        "a",
    ],
)
def test_bad_upload_requests_are_told(alice, files):
    response = alice.api.send(f"/cases/{alice.case().id}/uploads/", {"files": files})
    assert response.status_code == 400
    assert response.json()["error"]["fields"]


@pytest.mark.parametrize("body", [{}, {"ids": []}, {"ids": ["x"]}, {"ids": [1] * 501}, []])
def test_bad_completions_are_told(alice, body):
    assert alice.api.send(f"/cases/{alice.case().id}/uploads/complete/", body).status_code == 400


def test_ids_beyond_the_databases_numbers_are_nobodys(alice):
    response = alice.api.send(f"/cases/{alice.case().id}/uploads/complete/", {"ids": [10**30]})
    assert response.json() == {"accepted": 0}


def test_multipart_takes_several_files(alice):
    case = alice.case()
    files = [io.BytesIO(JPEG), io.BytesIO(JPEG), io.BytesIO(b"")]
    for number, file in enumerate(files):
        file.name = f"cell {number}.jpg"
    response = alice.api.post(f"/api/v1/cases/{case.id}/images/", {"files": files})
    assert response.status_code == 202
    assert [row["status"] for row in response.json()] == ["received", "received", "refused"]


def test_another_labs_images_are_not_accepted(alice, charlie):
    case = alice.case()
    ids = [upload["id"] for upload in begin(alice, case, "a.jpg").json()["uploads"]]
    theirs = charlie.case()
    assert charlie.api.send(f"/cases/{theirs.id}/uploads/complete/", {"ids": ids}).json() == {"accepted": 0}


def test_a_large_upload_goes_to_the_bulk_queue(alice):
    case = alice.case()
    ids = []
    for start in range(0, 200, 100):
        names = [f"{number}.jpg" for number in range(start, start + 100)]
        ids += [upload["id"] for upload in begin(alice, case, *names).json()["uploads"]]
    path = f"/cases/{case.id}/uploads/complete/"
    for start in range(0, 200, 50):
        alice.api.send(path, {"ids": ids[start : start + 50]})
    queues = list(OutboxEntry.objects.order_by("id").values_list("queue", flat=True))
    assert queues == ["interactive", "interactive", "bulk", "bulk"]


def test_a_used_upload_form_cannot_replace_what_was_read(alice):
    case = alice.case()
    (upload,) = begin(alice, case, "cell.jpg").json()["uploads"]
    post_to_store(upload)
    content, version = objects.get(upload["fields"]["key"])
    post_to_store(upload, b"another picture")
    url = objects.download_url(upload["fields"]["key"], "image/jpeg", version=version)
    assert httpx.get(url).content == content == JPEG


def test_one_bad_name_does_not_fail_the_others(alice):
    uploads = begin(alice, alice.case(), "a.jpg", "b\ud800.jpg", "", "c\0.jpg").json()["uploads"]
    assert [upload["name"] for upload in uploads] == ["a.jpg", "b.jpg", "unnamed", "c.jpg"]


# --- slides ---------------------------------------------------------------------------------------


@pytest.fixture
def case(alice):
    return alice.case()


@pytest.fixture
def slide(alice, case):
    with scope(lab=alice.lab):
        return add_slide(case, label="S-1")


def slides_of(person, case):
    """By file, of which slide the API says that it is."""
    return {
        row["name"]: row["slide"] for row in person.api.read(f"/cases/{case.id}/images/").json()["results"]
    }


def sent_of(person, case, slide, *names):
    files = [{"name": name, "size": 9, "sha256": hashlib.sha256(name.encode()).hexdigest()} for name in names]
    return person.api.send(f"/cases/{case.id}/uploads/", {"files": files, "slide": slide})


def test_of_which_slide_images_are_is_said_with_them(alice, case, slide):
    for given, name in ((slide.id, "a.jpg"), (None, "b.jpg")):
        (upload,) = sent_of(alice, case, given, name).json()["uploads"]
        alice.api.send(f"/cases/{case.id}/uploads/complete/", {"ids": [upload["id"]]})
    assert sent_of(alice, case, slide.id, "b.jpg").json()["uploads"][0]["already"]  # and stays as it is
    alice.api.post(
        f"/api/v1/cases/{case.id}/images/",
        {"files": SimpleUploadedFile("c.jpg", JPEG), "slide": slide.id},
    )
    alice.api.post(f"/api/v1/cases/{case.id}/images/", {"files": SimpleUploadedFile("d.jpg", JPEG + b"d")})
    assert slides_of(alice, case) == {"a.jpg": slide.id, "b.jpg": None, "c.jpg": slide.id, "d.jpg": None}
    assert alice.api.delete(f"/api/v1/cases/{case.id}/slides/{slide.id}/").status_code == 409
    files = page_of(alice, "case-files", case.id)
    assert files.count("<td>S-1</td>") == 2


def test_a_slide_of_another_case_or_lab_is_none(alice, charlie, case):
    with scope(lab=alice.lab):
        other = add_slide(alice.case("A-2"), label="S-1")
    with scope(lab=charlie.lab):
        foreign = add_slide(charlie.case(), label="S-1")
    for wrong in (other.id, foreign.id, 10**15, 10**30, "S-1", [1], True):
        denied = sent_of(alice, case, wrong, "a.jpg")
        assert denied.status_code == 400, wrong
        assert list(denied.json()["error"]["fields"]) == ["slide"]
        denied = alice.api.post(
            f"/api/v1/cases/{case.id}/images/", {"files": SimpleUploadedFile("c.jpg", JPEG), "slide": wrong}
        )
        assert denied.status_code == 400, wrong
    with scope(lab=alice.lab):
        assert not Image.objects.exists()


def test_a_slide_that_was_removed_meanwhile_takes_no_images(alice, case, slide):
    with scope(lab=alice.lab):
        remove_slide(Slide.objects.get())
        with pytest.raises(NoSuchSlide):
            services.begin(case, [services.File("a.jpg", 9)], slide=slide)
        with pytest.raises(NoSuchSlide):
            services.receive(case, [("a.jpg", len(JPEG), io.BytesIO(JPEG))], slide=slide)
        assert not Image.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_removes_a_slide_waits_for_those_who_upload_images_of_it(alice):
    case = alice.case()
    with scope(lab=alice.lab):
        slide = add_slide(case, label="S-1")
    outcome = []

    def remove():
        try:
            with scope(lab=alice.lab):
                remove_slide(Slide.objects.get())
        except InUse as error:
            outcome.append(str(error))
        finally:
            connection.close()

    thread = threading.Thread(target=remove)
    with scope(lab=alice.lab), transaction.atomic():
        services.begin(case, [services.File("a.jpg", 9)], slide=slide)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join()
    assert outcome == ["Images of this case are of slide S-1; it stays."]


def test_the_panel_asks_for_the_slide_where_the_case_has_any(alice, case):
    assert "data-slide" not in page_of(alice, "case", case.id)
    with scope(lab=alice.lab):
        slide = add_slide(case, label="S-1")
    assert f'<option value="{slide.id}">S-1</option>' in page_of(alice, "case", case.id)
    assert 'scope="col">Slide' not in page_of(alice, "case-files", case.id)
