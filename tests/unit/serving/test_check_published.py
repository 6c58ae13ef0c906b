"""The step before the start of tensorflow/serving: nothing but what was published is in the folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from serving.contract import MODEL_FILE, MODEL_NAME
from serving.model_config import CONFIG, model_config
from tests.support.published import PUBLISHER, STRANGER, publish
from tests.support.tiny_model import make_version


@pytest.fixture
def base(tmp_path: Path) -> Path:
    base = tmp_path / "models"
    publish(base / MODEL_NAME, 1)
    publish(base / MODEL_NAME, 2)
    publish(base / "lab-x", 1, name="lab-x")
    make_version(base / ".withdrawn" / MODEL_NAME, 3)  # no server looks there
    (base / "lab-y").mkdir()  # all of it was withdrawn
    (base / CONFIG).write_text(model_config(["hematovision", "lab-x"], "/models"))
    (tmp_path / "publisher").write_text(PUBLISHER.public)
    return base


def registered(base: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    publisher = str(base.parent / "publisher")
    command = [
        sys.executable,
        "-m",
        "serving.check_published",
        f"--model-base={base}",
        f"--publisher={publisher}",
    ]
    return subprocess.run([*command, *options], capture_output=True, text=True, timeout=60)


def test_what_was_published_may_start(base: Path) -> None:
    done = registered(base)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 versions" in done.stdout


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda base: (base / MODEL_NAME / "1" / MODEL_FILE).write_bytes(b"x"), f"published: {MODEL_FILE}"),
        (lambda base: (base / MODEL_NAME / "2" / "saved_model.pb").write_bytes(b"x"), "saved_model.pb"),
        (lambda base: make_version(base / MODEL_NAME, 9), "hematovision/9 was not published"),
        (lambda base: publish(base / MODEL_NAME, 9, by=STRANGER), "not signed"),
        (
            lambda base: make_version(base / MODEL_NAME, 7).rename(base / MODEL_NAME / "007"),
            "was not published",
        ),
        (
            lambda base: (base / CONFIG).write_text(model_config([MODEL_NAME], "/elsewhere")),
            "does not lead to",
        ),
        (lambda base: (base / CONFIG).unlink(), "No such file"),
        (lambda base: (base.parent / "publisher").write_text("nobody"), "serving.check_published: "),
    ],
)
def test_nothing_else_may(base: Path, spoil, says: str) -> None:
    spoil(base)
    done = registered(base)
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
