"""`hematovision model` beside the running product: models come and go while images are classified."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from infra.client.client import Client
from infra.local.config.settings import PREFIX
from tests.support.pictures import many_pictures
from tests.support.stack import RunningStack
from tests.support.tiny_model import OTHER_SIZE, TINY_GRIDS, TINY_LABELS, make_version

pytestmark = pytest.mark.timeout(400)

HEMATOVISION = str(Path(sys.executable).with_name("hematovision"))
IMAGES = 192
PATIENCE_S = 90


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return many_pictures(tmp_path_factory.mktemp("cells"), IMAGES)


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(stack: RunningStack) -> Run:
    """`hematovision model …` on the machine of the stack; it must succeed, unless it is to fail."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}

    def run(*arguments: object, fails: bool = False) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [HEMATOVISION, "model", *map(str, arguments)],
            env={**inherited, f"{PREFIX}HOME": str(stack.home), "COLUMNS": "120"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert bool(done.returncode) == fails, done.stdout
        return done

    return run


@pytest.fixture
def technician(stack: RunningStack) -> Iterator[Client]:
    with stack.client() as client:
        yield client


def classify(client: Client, *files: Path) -> list[dict[str, Any]]:
    """What the product says of some pictures."""
    case = client.open_case(uuid.uuid4().hex)
    client.upload(case, files)
    assert client.wait(case.id).progress["classified"] == len(files)
    return list(client.images(case.id))


def until_answered_by(model: str, client: Client, file: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while (said := classify(client, file)[0]["model"]) != model:
        assert time.monotonic() < deadline, said


def until_another_answers(before: str, client: Client, file: Path) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while (said := str(classify(client, file)[0]["model"])) == before:
        assert time.monotonic() < deadline
    return said


def test_a_version_goes_live_and_back_under_load(
    stack: RunningStack, run: Run, technician: Client, files: list[Path], tmp_path: Path
) -> None:
    """No image is lost, none is tried twice, and none waits because a model is away."""
    (before,) = {image["model"] for image in classify(technician, files[0])}
    number = int(before.rpartition(" ")[2]) + 1
    case = technician.open_case("under load")
    with ThreadPoolExecutor(1) as background:
        uploading = background.submit(technician.upload, case, files)
        run("publish", make_version(tmp_path), "--as-next")
        try:
            until_answered_by(f"hematovision {number}", technician, files[1])
            listed = run("list").stdout
        finally:
            run("rollback")
        until_answered_by(before, technician, files[2])
        uploading.result()
    assert technician.wait(case.id).progress["classified"] == IMAGES
    with psycopg.connect(stack.environment["HEMATOVISION_DATABASE_URL"]) as connection:
        chunks = connection.execute(
            "SELECT max(attempts), max(deferrals) FROM inference_chunk WHERE lab_id ="
            " (SELECT lab_id FROM cases_case WHERE id = %s)",
            [case.id],
        ).fetchone()
        row = connection.execute(
            "SELECT published_at < withdrawn_at, withdrawn_by, info -> 'metrics' -> 'test' ->> 'accuracy'"
            " FROM registry_modelversion WHERE name = 'hematovision' AND version = %s",
            [number],
        ).fetchone()
    assert chunks == (1, 0)
    assert row is not None
    assert (row[0], bool(row[1]), float(row[2])) == (True, True, 1.0)
    assert "test 100.0 %" in listed


def test_a_version_of_another_input_size_goes_live_and_back(
    stack: RunningStack, run: Run, technician: Client, files: list[Path], tmp_path: Path
) -> None:
    """Chunks that meet a server which is behind the registry, or ahead of it, wait; none is lost."""
    (before,) = {image["model"] for image in classify(technician, files[0])}
    case = technician.open_case("another size")
    with ThreadPoolExecutor(1) as background:
        uploading = background.submit(technician.upload, case, files)
        run("publish", make_version(tmp_path, input_size=OTHER_SIZE), "--as-next")
        try:
            after = until_another_answers(before, technician, files[1])
            said = classify(technician, *files[3:5])
            assert [image["model"] for image in said] == [after] * 2
        finally:
            run("rollback")
        until_answered_by(before, technician, files[2])
        uploading.result()
    progress = technician.wait(case.id).progress
    assert (progress["classified"], progress["failed"]) == (IMAGES, 0)
    with psycopg.connect(stack.environment["HEMATOVISION_DATABASE_URL"]) as connection:
        grids = connection.execute(
            "SELECT DISTINCT evidence_grid FROM inference_prediction JOIN registry_modelversion AS model"
            " ON model.id = model_version_id WHERE model.name = 'hematovision' AND model.version = %s",
            [int(after.rpartition(" ")[2])],
        ).fetchall()
    assert grids == [(TINY_GRIDS[OTHER_SIZE],)]


def test_two_labs_get_answers_from_different_models(
    stack: RunningStack, run: Run, files: list[Path], tmp_path: Path
) -> None:
    own = f"Lab {uuid.uuid4().hex[:8]}"
    commissioned, other = stack.new_lab(own), stack.new_lab()
    with (
        Client(stack.url, commissioned["technician"]["token"]) as theirs,
        Client(stack.url, other["technician"]["token"]) as others,
    ):
        (base,) = {image["model"] for image in classify(theirs, files[0])}
        run("publish", make_version(tmp_path, labels=tuple(reversed(TINY_LABELS))), "--lab", own)
        assert f"{own}’s own" in run("list").stdout
        (image,) = classify(theirs, files[1])
        assert image["model"].startswith("lab-")
        assert image["model"].endswith(" 1")
        (image_of_others,) = classify(others, files[1])
        assert image_of_others["model"] == base
        assert "go to hematovision again" in run("rollback", "--lab", own).stdout
        (image,) = classify(theirs, files[2])
        assert image["model"] == base


def test_what_cannot_be_done_is_told_in_a_line(run: Run, tmp_path: Path) -> None:
    version = make_version(tmp_path, 1)
    taken = run("publish", version, fails=True)
    assert "--as-next" in taken.stdout
    assert len(taken.stdout.splitlines()) == 1
    (version / "model.tflite").write_bytes(b"")
    assert "cannot be used" in run("publish", version, "--as-next", fails=True).stdout
    assert "no lab 'Nowhere'" in run("rollback", "--lab", "Nowhere", fails=True).stdout
    assert "nothing would be left" in run("rollback", fails=True).stdout
