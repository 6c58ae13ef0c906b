"""Pictures that cost much, or decoders that die, harm nobody else."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.support.hostile import hostile_pictures
from tests.support.pictures import many_pictures

PATIENCE_S = 150
HEAD_START_S = 5
FEW = 60


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("hostile")
    files = []
    for number, make in enumerate(hostile_pictures().values()):
        data = make()
        suffix = {b"\xff": ".jpg", b"\x89": ".png", b"I": ".tif", b"B": ".bmp", b"R": ".webp"}[data[:1]]
        files.append(folder / f"{number:02}{suffix}")
        files[-1].write_bytes(data)
    return files


def finished(client, case):
    deadline = time.monotonic() + PATIENCE_S
    while (progress := client.case(case.id).progress)["received"] or not progress["total"]:
        assert time.monotonic() < deadline, progress
        time.sleep(0.1)
    return progress


@pytest.mark.timeout(450)  # the product is started, and the pictures are made
def test_another_labs_image_is_classified_beside_hostile_ones(stack, hostile, tmp_path):
    (good,) = many_pictures(tmp_path, 1)
    with stack.client() as attacker, stack.client() as neighbour, ThreadPoolExecutor(1) as background:
        attacked, case = attacker.open_case("hostile"), neighbour.open_case("good")
        uploaded = background.submit(attacker.upload, attacked, hostile)
        time.sleep(HEAD_START_S)
        began = time.monotonic()
        neighbour.upload(case, [good])
        assert finished(neighbour, case)["classified"] == 1
        assert time.monotonic() - began < 20
        uploaded.result()
        progress = finished(attacker, attacked)
        assert progress["failed"] == 0
        assert progress["total"] == len(hostile)
        rows = list(attacker.images(attacked.id, status="refused"))
        assert all(len(row["reason"]["message"]) > 20 for row in rows)
        assert "too_costly" in {row["reason"]["code"] for row in rows}


def test_decoders_that_are_killed_cost_no_image_and_no_attempt(stack, tmp_path):
    files = many_pictures(tmp_path, FEW)
    with stack.client() as client, ThreadPoolExecutor(1) as background:
        case = client.open_case("killed decoders")
        uploaded = background.submit(client.upload, case, files)
        killed, deadline = 0, time.monotonic() + 20
        while killed < 3 and time.monotonic() < deadline:
            for decoder in decoders(stack):
                decoder.kill()
                killed += 1
            time.sleep(0.3)
        uploaded.result()
        assert finished(client, case)["classified"] == FEW
        with psycopg.connect(stack.environment["HEMATOVISION_DATABASE_URL"]) as connection:
            most = connection.execute(
                "SELECT max(attempts) FROM inference_chunk WHERE case_id = %s", [case.id]
            ).fetchone()
        assert most == (1,)


def decoders(stack) -> list[psutil.Process]:
    found = []
    for name in ("worker-interactive", "worker-bulk"):
        for process in psutil.Process(stack.pid(name)).children(recursive=True):
            try:
                if "serving.decoder" in process.cmdline():
                    found.append(process)
            except psutil.NoSuchProcess:
                continue
    return found
