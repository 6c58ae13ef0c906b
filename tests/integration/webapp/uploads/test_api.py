"""Uploads by the API, on a real database and object store, without workers."""

import io

import httpx
import pytest
from django_scopes import scope

from webapp.cases.models import Image, Processing
from webapp.outbox.models import OutboxEntry
from webapp.storage import objects

pytestmark = pytest.mark.usefixtures("fresh_rates")
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
