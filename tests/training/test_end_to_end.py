"""From images to scores by the command line, on drawn cells."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from serving.contract import ModelInfo
from tests.training.conftest import Commanded, command


def test_train_export_evaluate(commanded: Commanded, cells: Path, tmp_path: Path) -> None:
    assert commanded.trained == str(commanded.runs / "drawn")
    assert commanded.exported == str(commanded.version)
    version = tmp_path / "models" / "hematovision" / "1"
    shutil.copytree(commanded.version, version)
    reports, runs = tmp_path / "reports", commanded.runs
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
