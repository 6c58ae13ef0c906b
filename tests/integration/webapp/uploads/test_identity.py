"""A file is what its bytes are: what the case has is not asked for again, no name loses any."""

import hashlib
import io
import uuid
from datetime import timedelta

import httpx
import pytest
from django.utils import timezone
from django_scopes import scope

from infra.demo.cells import draw
from tests.support.people import Person
from tests.support.present import present
from webapp.cases.models import Case, Image
from webapp.cases.refusals import Refusal
from webapp.inference import services as inference
from webapp.inference.answers import Refused
from webapp.inference.models import Chunk
from webapp.storage import objects
from webapp.uploads.services import finish_abandoned

pytestmark = pytest.mark.usefixtures("fresh_rates")
JPEG = b"\xff\xd8\xff\xe0 not much of a picture"
OTHER = b"\xff\xd8\xff\xe0 not much of a cell, too"
assert len(JPEG) != len(OTHER)


@pytest.fixture
def case(alice: Person) -> Case:
    return alice.case()


def described(name, content=JPEG, **more):
    return {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest(), **more}


def begin(alice, case, *files):
    answer = alice.api.send(f"/cases/{case.id}/uploads/", {"files": files})
    assert answer.status_code == 201, answer.content
    return answer.json()["uploads"]


def send(upload, content=JPEG):
    httpx.post(upload["url"], data=upload["fields"], files={"file": content}).raise_for_status()


def complete(alice, case, *uploads):
    body = {"ids": [upload["id"] for upload in uploads]}
    return alice.api.send(f"/cases/{case.id}/uploads/complete/", body).json()["accepted"]


def handed_over(alice, case, name, content=JPEG):
    (upload,) = begin(alice, case, described(name, content))
    send(upload, content)
    assert complete(alice, case, upload) == 1
    return upload


def refuse(alice, upload, refusal, **seen):
    """As a worker does it."""
    with scope(lab=alice.lab):
        chunk_id = Image.objects.get(id=upload["id"]).in_chunk.chunk_id
        chunk = present(inference.claim(chunk_id, holder="w", redelivered=False))
        inference.record(chunk, None, [], [Refused(upload["id"], refusal, **seen)], "")


def rows(alice, case):
    with scope(lab=alice.lab):
        return list(Image.objects.filter(case=case).order_by("id").values_list("name", "status", "refusal"))


def test_files_of_one_name_and_size_are_two(alice, case):
    """Cameras write frames of one size, and number them anew for each slide."""
    one, two = bytes(100) + b"1", bytes(100) + b"2"
    first = handed_over(alice, case, "frame1.bmp", one)
    (second,) = begin(alice, case, described("frame1.bmp", two))
    assert second["already"] is None
    assert second["url"]
    assert second["id"] != first["id"]


def test_what_waits_is_not_asked_for_again(alice, case):
    first = handed_over(alice, case, "a.jpg")
    (again,) = begin(alice, case, described("b.jpg"))
    assert (again["id"], again["url"], again["fields"], again["refused"]) == (first["id"], None, None, None)
    assert again["already"] == {
        "name": "a.jpg",
        "status": "received",
        "reason": None,
        "replaced_by": None,
    }
    assert len(rows(alice, case)) == 1


def test_what_was_refused_by_its_content_is_named_and_not_asked_for_again(alice, case):
    first = handed_over(alice, case, "a.jpg")
    digest = hashlib.sha256(JPEG).digest()
    refuse(alice, first, Refusal.NO_COLOUR, sha256=digest, size=len(JPEG))
    (again,) = begin(alice, case, described("a.jpg"))
    assert again["url"] is None
    assert again["refused"] is None
    assert again["already"]["reason"]["code"] == "no_colour"
    assert len(rows(alice, case)) == 1


def test_a_worker_tells_the_digest_of_what_it_refuses_though_no_client_claimed_one(alice, case):
    (upload,) = begin(alice, case, {"name": "a.jpg", "size": len(JPEG)})
    send(upload)
    complete(alice, case, upload)
    refuse(alice, upload, Refusal.DAMAGED, sha256=hashlib.sha256(JPEG).digest(), size=len(JPEG))
    (again,) = begin(alice, case, described("a.jpg"))
    assert (again["id"], again["already"]["status"]) == (upload["id"], "refused")


@pytest.mark.parametrize("refusal", [Refusal.NOT_UPLOADED, Refusal.ALTERED])
def test_what_never_came_is_asked_for_again_in_its_own_row(alice, case, refusal):
    (first,) = begin(alice, case, described("a.jpg"))
    complete(alice, case, first)
    refuse(alice, first, refusal)
    assert rows(alice, case) == [("a.jpg", "refused", refusal.value)]
    (again,) = begin(alice, case, described("a.jpg"))
    assert again["id"] == first["id"]
    send(again)
    assert complete(alice, case, again) == 1
    assert rows(alice, case) == [("a.jpg", "received", "")]


def test_an_upload_that_broke_off_goes_on_in_its_own_row(alice, case):
    (first,) = begin(alice, case, described("a.jpg"))
    (again,) = begin(alice, case, described("a.jpg"))
    assert again["id"] == first["id"]
    assert again["url"]
    assert again["already"]["status"] == "awaiting_upload"
    assert len(rows(alice, case)) == 1


def test_what_was_refused_is_judged_once_more_where_that_is_asked(alice, case):
    """A newer release may take what an older one could not read."""
    first = handed_over(alice, case, "a.jpg")
    digest = hashlib.sha256(JPEG).digest()
    refuse(alice, first, Refusal.DAMAGED, sha256=digest, size=len(JPEG))
    assert complete(alice, case, first) == 0
    body = {"files": [described("a.jpg")], "again": True}
    (again,) = alice.api.send(f"/cases/{case.id}/uploads/", body).json()["uploads"]
    assert again["id"] == first["id"]
    send(again)
    assert complete(alice, case, again) == 1
    assert rows(alice, case) == [("a.jpg", "received", "")]


def test_what_was_too_large_is_taken_once_the_limit_is_another(alice, case, settings):
    settings.UPLOAD_MAX_BYTES = 10
    (refused,) = begin(alice, case, described("a.jpg"))
    assert refused["refused"]["code"] == "too_large"
    (again,) = begin(alice, case, described("a.jpg"))
    assert (again["url"], again["already"]["reason"]["code"]) == (None, "too_large")
    assert complete(alice, case, refused) == 0
    settings.UPLOAD_MAX_BYTES = 1000
    (taken,) = begin(alice, case, described("a.jpg"))
    assert taken["url"]


def test_the_same_bytes_twice_in_one_request_are_one_row(alice, case):
    first, second = begin(alice, case, described("a.jpg"), described("b.jpg"))
    assert first["already"] is None
    assert (second["id"], second["already"]["name"]) == (first["id"], "a.jpg")


def test_a_claim_of_another_size_swallows_nothing(alice, case):
    """The digest of somebody's cell, told of a file that is too large to be taken."""
    (claimed,) = begin(alice, case, described("a.jpg", size=2**40))
    assert claimed["refused"]["code"] == "too_large"
    (honest,) = begin(alice, case, described("a.jpg"))
    assert honest["url"]
    assert honest["already"] is None


def test_what_was_refused_for_its_name_is_taken_under_a_better_one(alice, case):
    (first, again, renamed) = begin(
        alice, case, described("cell.txt"), described("cell.txt"), described("cell.jpg")
    )
    assert first["refused"]["code"] == "unsupported_type"
    assert again["already"]["reason"]["code"] == "unsupported_type"
    assert renamed["url"]


@pytest.mark.parametrize("digest", ["", "xyz", "a" * 63, "g" * 64, 7, ["a"]])
def test_a_digest_that_is_none_is_told(alice, case, digest):
    body = {"files": [{"name": "a.jpg", "size": 3, "sha256": digest}]}
    assert alice.api.send(f"/cases/{case.id}/uploads/", body).status_code == 400


def test_what_is_known_costs_one_query_for_many(alice, case, django_assert_num_queries):
    files = [described(f"{n}.jpg", JPEG + bytes([n])) for n in range(40)]
    begin(alice, case, *files)
    with django_assert_num_queries(3):  # token, case, rows
        begin(alice, case, *files)


def test_another_case_and_another_lab_are_not_looked_into(alice, charlie, case):
    handed_over(alice, case, "a.jpg")
    (elsewhere,) = begin(alice, alice.case("A-2"), described("a.jpg"))
    assert elsewhere["already"] is None
    (foreign,) = begin(charlie, charlie.case(), described("a.jpg"))
    assert foreign["already"] is None


# --- forms that expire ----------------------------------------------------------------------------


def test_an_expired_form_is_renewed_for_the_same_row(alice, case, settings):
    settings.UPLOAD_LINK_SECONDS = -10
    (expired,) = begin(alice, case, described("a.jpg"))
    refused = httpx.post(expired["url"], data=expired["fields"], files={"file": JPEG})
    assert refused.status_code == 403
    settings.UPLOAD_LINK_SECONDS = 60
    answer = alice.api.send(f"/cases/{case.id}/uploads/renew/", {"ids": [expired["id"]]}).json()
    (fresh,) = answer["uploads"]
    assert fresh["fields"]["key"] == expired["fields"]["key"]
    send(fresh)
    assert complete(alice, case, fresh) == 1


def test_no_form_is_renewed_for_what_has_arrived_or_is_anothers(alice, charlie, case):
    upload = handed_over(alice, case, "a.jpg")
    path = f"/cases/{case.id}/uploads/renew/"
    (row,) = alice.api.send(path, {"ids": [upload["id"]]}).json()["uploads"]
    assert (row["url"], row["already"]["status"]) == (None, "received")
    assert charlie.api.send(path, {"ids": [upload["id"]]}).status_code == 404
    own = f"/cases/{charlie.case().id}/uploads/renew/"
    assert charlie.api.send(own, {"ids": [upload["id"]]}).json() == {"uploads": []}


# --- the timer ------------------------------------------------------------------------------------


def forget(alice):
    with scope(lab=alice.lab):
        Image.objects.update(created_at=timezone.now() - timedelta(hours=3))
    return finish_abandoned()


def test_the_timer_drops_nothing_of_the_same_name_and_size(alice, case):
    """Two slides' frames, both in the store; neither client said that it was done."""
    uploads = [begin(alice, case, {"name": "frame1.bmp", "size": 101})[0] for _ in range(2)]
    for number, upload in enumerate(uploads):
        send(upload, bytes(100) + bytes([number]))
    assert forget(alice) == 2
    with scope(lab=alice.lab):
        kept = Image.objects.filter(case=case, status=Image.Status.RECEIVED).values_list("key", flat=True)
        assert {objects.get(key)[0] for key in kept} == {bytes(100) + bytes([number]) for number in range(2)}


def test_what_arrives_after_the_timer_gave_it_up_is_taken(alice, case):
    """A line so slow that the form was renewed for hours."""
    (upload,) = begin(alice, case, described("a.jpg"))
    assert forget(alice) == 1
    refuse(alice, upload, Refusal.NOT_UPLOADED)
    send(upload)
    assert complete(alice, case, upload) == 1
    assert rows(alice, case) == [("a.jpg", "received", "")]
    with scope(lab=alice.lab):
        image = Image.objects.get(id=upload["id"])
        assert (image.detail, image.finished_at) == ("", None)
        assert image.in_chunk.chunk.state == Chunk.State.QUEUED


# --- the plain road -------------------------------------------------------------------------------


def test_a_request_of_files_repeated_adds_nothing_and_names_each(alice, case):
    def files():
        made = []
        for name, content in (("a.jpg", JPEG), ("b.jpg", OTHER), ("same.jpg", JPEG), ("empty.jpg", b"")):
            made.append(io.BytesIO(content))
            made[-1].name = name
        return {"files": made}

    path = f"/api/v1/cases/{case.id}/images/"
    first = alice.api.post(path, files()).json()
    assert [(row["name"], row["already"]) for row in first] == [
        ("a.jpg", False),
        ("b.jpg", False),
        ("a.jpg", True),
        ("empty.jpg", False),
    ]
    again = alice.api.post(path, files()).json()
    assert [row["id"] for row in again] == [row["id"] for row in first]
    assert all(row["already"] for row in again)
    assert len(rows(alice, case)) == 3
    with scope(lab=alice.lab):
        assert objects.get(Image.objects.get(name="b.jpg").key)[0] == OTHER


# --- with a worker --------------------------------------------------------------------------------


def test_a_claim_that_does_not_hold_swallows_no_other_file(stack):
    """Somebody announces one cell and sends another; the announced one comes later."""
    contents = []
    for seed in (1, 2):
        out = io.BytesIO()
        draw("monocyte", seed=seed).save(out, "PNG")
        contents.append(out.getvalue())
    announced, sent = contents
    with stack.client() as client:
        case = client.open_case(f"claim-{uuid.uuid4().hex[:6]}")
        api = client.connection.api

        def ask(path, body):
            return api.post(f"cases/{case.id}/{path}", json=body).raise_for_status().json()

        def upload(file, content):
            (row,) = ask("uploads/", {"files": [file]})["uploads"]
            if row["url"]:
                httpx.post(row["url"], data=row["fields"], files={"file": content}).raise_for_status()
                ask("uploads/complete/", {"ids": [row["id"]]})
                client.wait(case.id)
            return row

        false = upload(described("a.png", announced), sent)
        (row,) = client.images(case.id)
        assert (row["status"], row["reason"]["code"]) == ("refused", "altered")
        assert upload(described("b.png", announced), announced)["id"] == false["id"]
        upload(described("c.png", sent), sent)
        done = {row["name"]: row["status"] for row in client.images(case.id)}
        assert done == {"a.png": "classified", "c.png": "classified"}
        # And without a digest, the worker finds what is twice, and says of what.
        upload({"name": "d.png", "size": len(sent)}, sent)
        (twice,) = client.images(case.id, status="refused")
        assert twice["reason"]["code"] == "duplicate"
        assert "c.png" in twice["reason"]["message"]
