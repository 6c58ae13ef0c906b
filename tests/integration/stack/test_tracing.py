"""Traces of the running product: one from the upload to the result, with no word about whom it is of."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from infra.client.client import Client
from infra.demo import cells
from tests.integration.stack.test_stack import eventually
from tests.support.collector import Told, attributes, collector
from tests.support.stack import beside
from tests.support.tls import Authority, tls_front

WORKER = ("celery", "-A", "workers", "worker", "-Q", "interactive", "-c", "1", "-n", "traced@%h")
PATIENT = {
    "name": "Plantedname Zyxwvut",
    "mrn": "MRN-7391-PLANTED",
    "birth_date": "1931-07-23",
    "notes": "Relapse",
}
SECRET = "planted-secret-of-an-invitation"
PLANTED = [*PATIENT.values(), SECRET, "ACC-PLANTED", "planted-file", "planted@mail.example", "planted-query"]
FROM_UPLOAD_TO_RESULT = [
    ("hematovision-web", "POST /api/v1/cases/<uuid:case_id>/uploads/complete/"),
    ("hematovision-web", "create interactive"),
    ("hematovision-relay", "send interactive"),
    ("hematovision-worker", "process interactive"),
    ("hematovision-worker", "write results"),
]


@contextmanager
def telling(stack, endpoint: str, **more: str) -> Iterator[str]:
    """Web, relay and worker, in the place of the stack's, tell `endpoint`; yields the address of the web."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        bind = f"127.0.0.1:{free.getsockname()[1]}"
    env = beside(stack.environment, HEMATOVISION_TRACES_ENDPOINT=endpoint, **more)
    web = ("gunicorn", "--config", "python:webapp.config.gunicorn", "--bind", bind)
    replaced = ("relay", "worker-interactive")
    with ExitStack() as running:
        for name in replaced:
            running.callback(stack.start, name)
            stack.stop(name)
        for command in (web, ("workers.relay",), WORKER):
            running.enter_context(program(stack, command, env))
        url = f"http://{bind}"
        assert eventually(lambda: answers(url), seconds=60)
        yield url


@contextmanager
def program(stack, command, env) -> Iterator[None]:
    with (stack.home / "log" / f"traced-{command[0]}.log").open("w") as log:
        started = subprocess.Popen([sys.executable, "-m", *command], env=env, stdout=log, stderr=log)
        try:
            yield
        finally:
            started.terminate()
            started.wait(30)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture
def picture(tmp_path):
    drawn = cells.write(tmp_path, per_class=1, seed=11)[0]
    return shutil.move(drawn, tmp_path / "planted-file.jpg")


def classified(stack, url: str, picture) -> dict[str, int]:
    with Client(url, stack.new_lab()["technician"]["token"]) as client:
        case = client.open_case("ACC-PLANTED")
        client.connection.call("PATCH", f"cases/{case.id}/patient/", json=PATIENT)
        client.upload(case, [picture])
        return client.wait(case.id).progress


def line(told: list[Told], last: Told) -> list[Told]:
    """A span and those that it came of, the first one first."""
    by_id = {entry.span.span_id: entry for entry in told}
    found = [last]
    while parent := by_id.get(found[0].span.parent_span_id):
        found.insert(0, parent)
    return found


def test_one_trace_leads_from_the_upload_to_the_result_and_names_nobody(stack, picture, tmp_path):
    authority = Authority(tmp_path / "ca")
    with collector() as kept, tls_front(kept.server_port, authority.issue("localhost")) as port:
        with telling(stack, f"https://localhost:{port}", HEMATOVISION_TRACES_CA=str(authority.file)) as url:
            httpx.get(f"{url}/invitations/{SECRET}/")
            httpx.get(f"{url}/accounts/login/?next=planted-query", headers={"From": "planted@mail.example"})
            assert classified(stack, url, picture)["classified"] == 1
        told = kept.told()  # a program that ends sends what it has
    (last,) = [entry for entry in told if entry.span.name == "write results"]
    path = line(told, last)
    assert [(entry.service, entry.span.name) for entry in path] == FROM_UPLOAD_TO_RESULT
    assert not path[0].span.parent_span_id
    of_upload = [entry.span for entry in told if entry.span.trace_id == last.span.trace_id]
    steps = {span.name: attributes(span) for span in of_upload}
    assert steps.keys() - {name for _, name in FROM_UPLOAD_TO_RESULT} == {
        "prepare images",
        "S3/GetObject",
        "decode image",
        "tensorflow.serving.PredictionService/Predict",
        "S3/PutObject",
        "create events",
        "send events",
    }
    predict = steps["tensorflow.serving.PredictionService/Predict"]
    assert (predict["hematovision.model"], predict["hematovision.images"]) == ("hematovision", 1)
    version = predict["hematovision.version"]
    assert isinstance(version, int)
    assert version >= 1
    assert {"hematovision.case", "hematovision.chunk", "hematovision.lab"} <= steps[
        "process interactive"
    ].keys()
    assert f'"trace": "{last.span.trace_id.hex()}"' in stack.log("traced-celery")
    assert "GET /invitations/<str:secret>/" in {entry.span.name for entry in told}
    sent = b"".join(kept.bodies)
    assert [word for word in PLANTED if word.encode() in sent] == []


def test_a_collector_that_never_answers_changes_nothing(stack, picture):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        with telling(
            stack, f"http://127.0.0.1:{deaf.getsockname()[1]}", OTEL_BSP_SCHEDULE_DELAY="200"
        ) as url:
            begun = time.monotonic()
            assert classified(stack, url, picture)["classified"] == 1
            assert time.monotonic() - begun < 20
            assert eventually(lambda: "Failed to export spans" in stack.log("traced-celery"), seconds=30)
            ending = time.monotonic()
        assert time.monotonic() - ending < 25
    for name in ("gunicorn", "workers.relay", "celery"):
        lines = [line for line in stack.log(f"traced-{name}").splitlines() if "opentelemetry" in line]
        assert len(lines) <= 2, lines  # gunicorn has two processes
