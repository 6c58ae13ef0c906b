"""The API on a real database and object store, without workers."""

import io
import json
import uuid
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.core.cache import cache
from django.test import Client
from django_scopes import scope
from django_scopes.exceptions import ScopeError

from serving.contract import MODEL_NAME
from tests.support.embedded import embedded_server
from tests.support.pages import add_cells, add_unusable
from tests.support.people import PASSWORD, Api
from tests.support.tiny_model import make_version
from webapp.cases.models import Case, Image
from webapp.cases.selectors import CaseState
from webapp.inference.models import Chunk
from webapp.outbox.models import OutboxEntry
from webapp.storage import objects

JPEG = b"\xff\xd8\xff\xe0 not much of a picture"


@pytest.fixture(autouse=True)
def fresh_rates(services):
    cache.clear()


def begin(person, case, *names, size=None):
    body = {"files": [{"name": name, "size": len(JPEG) if size is None else size} for name in names]}
    return person.api.send(f"/cases/{case.id}/uploads/", body)


def post_to_store(upload, content=JPEG):
    return httpx.post(upload["url"], data=upload["fields"], files={"file": content})


def test_unscoped_queries_raise(alice):
    alice.case()
    with pytest.raises(ScopeError):
        list(Case.objects.all())


def test_a_case_is_made_once(alice):
    assert alice.api.send("/cases/", {"accession": "H-77"}).status_code == 201
    again = alice.api.send("/cases/", {"accession": "H-77"})
    assert again.status_code == 409
    assert again.json()["error"]["code"] == "accession_taken"
    assert "H-77" in again.json()["error"]["message"]


def test_two_labs_may_use_the_same_accession(alice, charlie):
    assert alice.api.send("/cases/", {"accession": "H-77"}).status_code == 201
    assert charlie.api.send("/cases/", {"accession": "H-77"}).status_code == 201


@pytest.mark.parametrize("accession", ["", "x" * 65, "a\x1bb", "a\x00b", 7.5, None])
def test_bad_accessions_are_told(alice, accession):
    response = alice.api.send("/cases/", {"accession": accession})
    if accession == 7.5:
        assert response.status_code == 201  # JSON numbers read as their digits
        return
    assert response.status_code == 400
    assert "accession" in response.json()["error"]["fields"]


def test_of_no_accession_there_is_no_case(alice):
    """A client that looks for its case by a number it does not have must not get somebody else's."""
    alice.case()
    for nothing in ("", " ", "\u200b"):
        response = alice.api.read("/cases/", accession=nothing)
        assert response.json()["results"] == []


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
    assert OutboxEntry.objects.get().args == [str(image.chunk_id)]


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


def test_the_store_refuses_a_form_for_another_key(alice):
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
    assert (progress["refused"], progress["total"], progress["state"]) == (3, 3, CaseState.DONE)


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


def test_broken_json_is_told(alice):
    response = alice.api.post("/api/v1/cases/", "{", content_type="application/json")
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "parse_error"


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


def test_password_for_token(alice, charlie):
    body = {"email": alice.membership.user.email.upper(), "password": PASSWORD}
    made = Api().send("/tokens/", body)
    assert made.status_code == 201
    assert made.json()["lab"] == alice.lab.name
    fresh = Api(headers={"Authorization": f"Bearer {made.json()['token']}"})
    assert fresh.read("/cases/").status_code == 200
    wrong = Api().send("/tokens/", {**body, "password": "wrong"})
    assert wrong.status_code == 401
    elsewhere = Api().send("/tokens/", {**body, "lab": str(charlie.lab.id)})
    assert elsewhere.status_code == 400
    assert "Southern" not in elsewhere.content.decode()


def test_listing_cases_costs_the_same_for_many(alice, django_assert_num_queries):
    for number in range(3):
        alice.case(f"few-{number}")
    alice.api.read("/cases/")  # notes that the token is in use, once a minute
    with django_assert_num_queries(4):  # token, cases, progress, patients
        alice.api.read("/cases/")
    for number in range(30):
        alice.case(f"many-{number}")
    with django_assert_num_queries(4):
        assert len(alice.api.read("/cases/").json()["results"]) == 33


def test_probes(client, db):
    assert client.get("/healthz").status_code == 200
    body = client.get("/readyz").json()
    assert body["database"] == body["storage"] == "ok"


def test_a_used_upload_form_cannot_replace_what_was_read(alice):
    case = alice.case()
    (upload,) = begin(alice, case, "cell.jpg").json()["uploads"]
    post_to_store(upload)
    content, version = objects.get(upload["fields"]["key"])
    post_to_store(upload, b"another picture")
    url = objects.download_url(upload["fields"]["key"], "image/jpeg", version=version)
    assert httpx.get(url).content == content == JPEG


@pytest.mark.parametrize("name", ["data:x,.jpg", "page.html", "drawing.svg", "cell.jpg", "noname"])
@pytest.mark.parametrize(("media_type", "linked"), [("image/png", "image/png"), ("", "image/jpeg")])
def test_the_links_content_type_is_never_the_names(alice, name, media_type, linked):
    with scope(lab=alice.lab):
        image = Image.objects.create(
            lab=alice.lab, case=alice.case(), name=name, key=uuid.uuid4().hex, bytes=1, media_type=media_type
        )
    link = alice.api.read(f"/images/{image.id}/picture/")
    asked = parse_qs(urlsplit(link.headers["Location"]).query)
    assert asked["response-content-type"] == [linked]


def test_sign_in_is_throttled_whatever_headers_say(alice):
    body = {"email": alice.membership.user.email, "password": "wrong"}
    answers = [
        alice.api.post(
            "/api/v1/tokens/",
            json.dumps(body),
            content_type="application/json",
            headers={"X-Forwarded-For": f"10.0.0.{number}"},
        ).status_code
        for number in range(6)
    ]
    assert set(answers[:5]) == {401}
    assert answers[5] == 429
    page = Client().post("/accounts/login/", {"login": body["email"], "password": "wrong"})
    assert "Too many attempts" in page.content.decode()


def test_files_are_kept_only_where_they_are_asked_for(alice, settings, tmp_path):
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    settings.UPLOAD_MAX_BYTES = 1000
    large = io.BytesIO(bytes(5_000_000))
    large.name = "large.jpg"
    assert Client().post("/accounts/login/", {"file": large}).status_code == 413
    large.seek(0)
    case = alice.case()
    (row,) = alice.api.post(f"/api/v1/cases/{case.id}/images/", {"files": large}).json()
    assert row["reason"]["code"] == "too_large"
    assert alice.api.post(f"/api/v1/cases/{case.id}/images/", {"file": large}).status_code == 400


@pytest.mark.parametrize("query", [{"status": "bogus"}, {"status": "\0"}, {"cell_class": "x"}])
def test_bad_filters_are_told(alice, query):
    assert alice.api.read(f"/cases/{alice.case().id}/images/", **query).status_code == 400


def test_a_bad_accession_filter_is_told(alice):
    assert alice.api.read("/cases/", accession="\0").status_code == 400


def test_one_bad_name_does_not_fail_the_others(alice):
    uploads = begin(alice, alice.case(), "a.jpg", "b\ud800.jpg", "", "c\0.jpg").json()["uploads"]
    assert [upload["name"] for upload in uploads] == ["a.jpg", "b.jpg", "unnamed", "c.jpg"]


def test_dead_letters_are_listed_across_cases(alice, charlie):
    with scope(lab=alice.lab):
        Chunk.objects.create(
            lab=alice.lab, case=alice.case("H-9"), queue="bulk", state="dead", error="It broke.", attempts=3
        )
    (letter,) = alice.api.read("/dead-letters/").json()["results"]
    assert (letter["accession"], letter["error"], letter["images"]) == ("H-9", "It broke.", 0)
    assert charlie.api.read("/dead-letters/").json()["results"] == []


def test_a_model_server_without_a_model_is_not_called_well(client, db, settings, tmp_path):
    with embedded_server(tmp_path) as server:
        settings.SERVING_TARGET, settings.SERVING_CHANNEL = server.target, None
        answer = client.get("/readyz")
        assert answer.status_code == 200  # images are kept all the same
        assert answer.json()["model"] == "failed: no model is loaded"
        make_version(tmp_path / MODEL_NAME, 1)
        server.wait_ready()
        assert client.get("/readyz").json()["model"] == "ok"


def test_rows_say_why_a_cell_is_flagged(alice, django_assert_num_queries):
    case = alice.case()
    add_cells(alice, case, "neutrophil", 0.9)
    add_cells(alice, case, "monocyte", 0.4, flagged=True)
    add_cells(alice, case, "basophil", 0.9, flagged=True, distance=1.5)
    add_cells(alice, case, "platelet", 0.4, flagged=True, distance=1.5)
    add_unusable(alice, case, Image.Status.REFUSED)
    alice.api.read(f"/cases/{case.id}/")  # that she opened it is recorded the first time
    with django_assert_num_queries(4):  # token, case, images, predictions with their versions
        rows = alice.api.read(f"/cases/{case.id}/images/").json()["results"]
    assert [(row["flagged"], row["flagged_because"], row["distance"]) for row in rows] == [
        (False, [], 0.3),
        (True, ["low_confidence"], 0.3),
        (True, ["unlike_training"], 1.5),
        (True, ["low_confidence", "unlike_training"], 1.5),
        (None, [], None),
    ]
    one = alice.api.read(f"/images/{rows[2]['id']}/").json()
    assert [row["model"] for row in rows] == [*["hematovision 1"] * 4, None]
    assert (one["cell_class"], one["flagged_because"]) == ("unidentified", ["unlike_training"])


def test_openapi_describes_every_endpoint(client, db):
    text = client.get("/api/v1/schema/").content.decode()
    for path in ("/cases/{case_id}/uploads/renew/", "/images/{image_id}/evidence/", "/tokens/"):
        assert path in text
