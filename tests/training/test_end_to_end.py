"""From images to scores by the command line, on drawn cells."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from serving.contract import ModelInfo
from training.__main__ import app
from training.config import Experiment, Stage


def command(*arguments: object) -> str:
    """What the command prints."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def written(experiment: Experiment, tmp_path: Path) -> Path:
    path = tmp_path / "drawn.yaml"
    longer = replace(experiment, name="drawn", stages=(Stage(size=64, epochs=12, batch=8),))
    path.write_text(yaml.safe_dump(longer.as_dict()))
    return path


def test_train_export_evaluate(written: Path, cells: Path, tmp_path: Path) -> None:
    runs, version = tmp_path / "runs", tmp_path / "models" / "hematovision" / "1"
    assert command("train", written, "--runs", runs).split()[-1] == str(runs / "drawn")
    assert command("export", runs / "drawn", version).split()[-1] == str(version)
    reports = tmp_path / "reports"
    printed = command(
        *("evaluate", version, "--data", cells, "--parity", "--record", "--report", reports, "--runs", runs)
    )
    result = json.loads(printed[printed.index("{") : printed.rindex("}") + 1])["drawn"]
    assert result["images"] == 160
    assert result["accuracy"] > 0.9
    assert result["parity"]["labels_agree"] == 1
    assert result["parity"]["largest_difference"] < 0.01
    assert ModelInfo.load(version).metrics == {"drawn": result}
    assert (version / "MODEL_CARD.md").read_text().startswith("# Model card: hematovision 1")
    assert (reports / "hematovision-1" / "report.html").is_file()


def test_what_a_user_can_mend_is_one_line(tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "training", "train", str(tmp_path / "absent.yaml")]
    failed = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: Cannot read the experiment file")
    assert failed.stderr.count("\n") == 1
