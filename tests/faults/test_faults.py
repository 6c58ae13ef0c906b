"""Things die in the middle of an upload; every image ends classified exactly once, with no human help."""

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.support.pictures import many_pictures
from tests.support.stack import beside

IMAGES = 150  # three chunks, for the queue of those whom nobody waits for
MANY = 300  # more chunks than workers have in hand
FEW = 4
PATIENCE_S = 150


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> list[Path]:
    return many_pictures(tmp_path_factory.mktemp("cells"), MANY)


@pytest.fixture
def client(stack):
    with stack.client() as client:
        yield client


@pytest.fixture
def upload(client, files):
    """A case whose images are being uploaded; some are classified already, some are not."""
    case = client.open_case("faults")
    with ThreadPoolExecutor(1) as background:
        uploaded = background.submit(client.upload, case, files[:IMAGES])
        deadline = time.monotonic() + PATIENCE_S
        while client.case(case.id).progress["classified"] == 0:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield case
        uploaded.result()


def all_classified_once(stack, client, case, images=IMAGES) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while (progress := client.case(case.id).progress)["classified"] < images:
        assert time.monotonic() < deadline, progress
        assert progress["failed"] == 0, list(client.images(case.id, status="failed"))[:2]
        time.sleep(0.5)
    assert (progress["total"], progress["refused"], progress["failed"]) == (images, 0, 0)
    with psycopg.connect(stack.environment["HEMATOVISION_DATABASE_URL"]) as connection:
        found = connection.execute(
            "SELECT count(*), count(DISTINCT image_id) FROM inference_prediction AS prediction"
            " JOIN cases_cell AS cell ON cell.id = cell_id JOIN cases_image AS image ON image.id = image_id"
            " WHERE case_id = %s",
            [case.id],
        ).fetchone()
    assert found == (images, images)


@pytest.mark.parametrize("who", ["the worker", "its child"])
def test_a_worker_is_killed(stack, client, upload, who):
    worker = psutil.Process(stack.pid("worker-bulk"))
    for victim in [worker] if who == "the worker" else worker.children():
        victim.kill()
    all_classified_once(stack, client, upload)


def test_the_model_server_is_killed(stack, client, upload):
    stack.kill("serving")
    all_classified_once(stack, client, upload)


@pytest.fixture
def begun(client, files):
    """A case with a few images, which are classified."""
    case = client.open_case("faults")
    client.upload(case, files[:FEW])
    client.wait(case.id)
    return case


def test_the_model_server_is_away_for_a_while_and_the_case_says_so(stack, client, begun, files):
    stack.stop("serving")
    try:
        client.upload(begun, files[FEW:IMAGES])
        deadline = time.monotonic() + 60
        while not (notice := client.case(begun.id).model_notice):
            assert time.monotonic() < deadline
            time.sleep(0.2)
    finally:
        stack.start("serving")
    assert notice.startswith("The model server does not answer.")
    all_classified_once(stack, client, begun)
    assert client.case(begun.id).model_notice is None


def test_the_object_store_hangs_and_the_case_says_so(stack, client, begun, files):
    """It takes connections and answers nothing: the images wait, and none is blamed."""
    stack.kill("serving", signal.SIGSTOP)  # so that there are images left for workers to fetch
    try:
        client.upload(begun, files[FEW:MANY])
        stack.kill("seaweedfs", signal.SIGSTOP)
    finally:
        stack.kill("serving", signal.SIGCONT)
    try:
        deadline = time.monotonic() + 90
        while not (notice := client.case(begun.id).model_notice):
            assert time.monotonic() < deadline
            time.sleep(0.5)
        assert notice.startswith("The image store does not answer.")
    finally:
        stack.kill("seaweedfs", signal.SIGCONT)
    all_classified_once(stack, client, begun, MANY)


def test_the_broker_stops_for_ten_seconds(stack, client, upload):
    stack.stop("valkey")
    time.sleep(10)
    stack.start("valkey")
    all_classified_once(stack, client, upload)


def test_the_relay_is_killed(stack, client, upload):
    stack.kill("relay")
    all_classified_once(stack, client, upload)


def test_a_worker_that_is_asked_to_stop_finishes_what_it_has_in_hand(stack, client, upload):
    stack.stop("worker-bulk")
    with psycopg.connect(stack.environment["HEMATOVISION_DATABASE_URL"]) as connection:
        held = connection.execute(
            "SELECT count(*) FROM inference_chunk WHERE state = 'running' AND claimed_by LIKE 'bulk@%'"
        ).fetchone()
    assert held == (0,)
    stack.start("worker-bulk")
    all_classified_once(stack, client, upload)


@pytest.fixture
def leaving_worker(stack, client, files, request):
    """A worker, asked to stop as Kubernetes asks, with a chunk in hand that the model server does not answer.

    It may go on for as many seconds as the test says.
    """
    stack.stop("worker-interactive")
    stack.kill("serving", signal.SIGSTOP)
    command = (sys.executable, "-m", "celery", "-A", "workers", "worker", "-n", "leaving@%h")
    worker = subprocess.Popen(
        [
            *command,
            "-Q",
            "interactive",
            "-c",
            "1",
            "-E",
            "--",
            f"worker.soft_shutdown_timeout={request.param}",
        ],
        env=beside(stack.environment, REMAP_SIGTERM="SIGQUIT"),
    )
    try:
        case = client.open_case("faults")
        client.upload(case, files[:FEW])
        deadline = time.monotonic() + PATIENCE_S
        while chunk_of(stack, case)[0] != "running":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        worker.terminate()
        yield worker, case
    finally:
        worker.kill()
        worker.wait()
        stack.kill("serving", signal.SIGCONT)
        stack.start("worker-interactive")


def chunk_of(stack, case) -> tuple[str, str, bool]:
    """The state of a case's only chunk, who has claimed it, and whether others must keep away from it."""
    with psycopg.connect(stack.environment["HEMATOVISION_DATABASE_URL"]) as connection:
        (chunk,) = connection.execute(
            "SELECT state, claimed_by, state = 'running' AND lease_until > now()"
            " FROM inference_chunk WHERE case_id = %s",
            [case.id],
        ).fetchall()
    return chunk


@pytest.mark.parametrize("leaving_worker", [15], indirect=True)
def test_a_leaving_worker_finishes_what_it_has_in_hand(stack, client, leaving_worker):
    worker, case = leaving_worker
    stack.kill("serving", signal.SIGCONT)
    worker.wait(40)
    state, holder, _ = chunk_of(stack, case)
    assert (state, holder.partition("@")[0]) == ("done", "leaving")
    all_classified_once(stack, client, case, FEW)


@pytest.mark.parametrize("leaving_worker", [1], indirect=True)
def test_a_leaving_worker_gives_back_what_it_cannot_finish(stack, client, leaving_worker):
    worker, case = leaving_worker
    worker.wait(40)
    _, _, held = chunk_of(stack, case)
    assert not held
    stack.kill("serving", signal.SIGCONT)
    stack.start("worker-interactive")
    all_classified_once(stack, client, case, FEW)
