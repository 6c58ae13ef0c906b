"""Large bodies: who may send one, how many at once, and what becomes of them where there is no room."""

import errno
import json
import threading
from typing import Any, cast

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpResponse, HttpResponseBase, UnreadablePostError
from django.test import Client, RequestFactory
from django.urls import reverse
from rest_framework.request import Request

from webapp.http import bodies
from webapp.http.bodies import BodyMiddleware
from webapp.labs.requests import LabRequest

pytestmark = pytest.mark.django_db
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)
LARGE = b"x" * (bodies.SMALL + 1)


class Unread:
    """A body that must not be looked at."""

    def read(self, *_: object) -> bytes:
        raise AssertionError("somebody reads it")

    readline = read


@pytest.mark.parametrize("path", ["/accounts/login/", "/api/v1/tokens/", "/nowhere/", "/api/v1/cases/"])
def test_strangers_send_small_bodies(path: str) -> None:
    sized: dict[str, Any] = {"CONTENT_LENGTH": str(len(LARGE)), "wsgi.input": Unread()}
    answer = Client().generic("POST", path, b"", content_type="multipart/form-data; boundary=x", **sized)
    assert answer.status_code == 413
    assert b"64 KB" in answer.content


def test_a_token_that_is_none_is_rejected_unread() -> None:
    sized: dict[str, Any] = {"CONTENT_LENGTH": str(len(LARGE)), "wsgi.input": Unread()}
    forged = Client(headers={"Authorization": "Bearer hv_nobody"})
    assert forged.generic("POST", "/api/v1/cases/", b"", **sized).status_code == 401


def test_members_send_large_ones_up_to_the_limit_of_a_request(alice, settings) -> None:
    assert alice.api.post("/api/v1/cases/", LARGE, content_type="application/json").status_code == 400
    settings.UPLOAD_REQUEST_MAX_BYTES = bodies.SMALL
    answer = alice.api.post("/api/v1/cases/", LARGE, content_type="application/json")
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "body_too_large"


def test_no_more_at_once_than_leave_threads_for_others(alice, settings) -> None:
    inside, leave = threading.Semaphore(0), threading.Event()

    def slow(_: object) -> HttpResponse:
        inside.release()
        assert leave.wait(20)
        return HttpResponse()

    middleware = BodyMiddleware(slow)

    def ask() -> HttpResponseBase:
        post = RequestFactory().post("/api/v1/cases/", LARGE, content_type="application/json")
        request = cast(LabRequest, post)
        request.membership, request.user = alice.membership, alice.membership.user
        return middleware(request)

    threads = [threading.Thread(target=ask) for _ in range(settings.HTTP_LARGE_BODIES_AT_ONCE)]
    for thread in threads:
        thread.start()
        assert inside.acquire(timeout=20)
    refused = ask()
    assert (refused.status_code, refused["Retry-After"]) == (503, "2")
    leave.set()
    for thread in threads:
        thread.join()
    assert ask().status_code == 200


@pytest.fixture
def images(alice) -> str:
    case = alice.api.post("/api/v1/cases/", {"accession": "B-1"}, content_type="application/json").json()
    return f"/api/v1/cases/{case['id']}/images/"


@pytest.mark.parametrize("trouble", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_and_nothing_is_half_taken(
    alice, images, monkeypatch, settings, tmp_path, trouble: int
) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)

    def full(*_: object) -> None:
        raise OSError(trouble, "no")

    with monkeypatch.context() as broken:
        broken.setattr(TemporaryFileUploadHandler, "receive_data_chunk", full)
        answer = alice.api.post(images, {"files": SimpleUploadedFile("a.jpg", JPEG)})
    assert answer.status_code == 507
    assert not list(tmp_path.iterdir())
    assert "Nothing was taken" in answer.json()["error"]["message"]
    again = alice.api.post(images, {"files": SimpleUploadedFile("a.jpg", JPEG)})
    assert again.status_code == 202
    assert len(alice.api.get(images).json()["results"]) == 1


def test_a_body_that_stops_half_way_is_no_fault_of_ours(alice, images, monkeypatch) -> None:
    def cut(*_: object) -> None:
        raise UnreadablePostError("timed out")

    monkeypatch.setattr(Request, "_parse", cut)
    answer = alice.api.post(images, {"files": SimpleUploadedFile("a.jpg", JPEG)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (408, "request_timeout")


def test_a_body_beyond_the_limit_is_rejected(alice) -> None:
    large = json.dumps({"accession": "A" * django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE})
    answer = alice.api.post("/api/v1/cases/", large, content_type="application/json")
    assert answer.status_code in (400, 413)


@pytest.mark.usefixtures("plain_static")
def test_a_form_of_too_many_fields_is_rejected(alice) -> None:
    fields = {f"field{n}": "x" for n in range(django_settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)}
    assert alice.browser.post(reverse("ui:new-case"), fields).status_code == 400
