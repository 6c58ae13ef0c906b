"""training.adaptation.retrain: corrected labels change what the next version says."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from serving.contract import CELL_LABELS, PROBABILITIES, ModelInfo, to_model_input
from training.adaptation.retrain import retrain
from training.config import FULL_SIZE, Experiment, Stage
from training.data.images import load_images
from training.errors import TrainingError
from training.evaluation.inference import lite_predictor

CORRECTED = {"basophil": "eosinophil", "monocyte": "lymphocyte"}
"""As they were labelled, and as pathologists say they are."""


@pytest.fixture
def reviewed(cells: Path, tmp_path: Path) -> Path:
    """A table of every cell of two classes under another label."""
    path = tmp_path / "reviewed.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "label"])
        for was, is_ in CORRECTED.items():
            rows.writerows([f"{was}/{image.name}", is_] for image in sorted((cells / was).iterdir()))
    return path


def said(version: Path, cells: Path, label: str) -> list[str]:
    """What a version says of every cell of a class."""
    pictures = []
    for path in sorted((cells / label).iterdir()):
        with Image.open(path) as image:
            pictures.append(to_model_input(image, FULL_SIZE))
    best = lite_predictor(version)(np.stack(pictures))[PROBABILITIES].argmax(axis=1)
    return [CELL_LABELS[place] for place in best]


def test_corrected_labels_change_the_predictions(
    base: Path,
    experiment: Experiment,
    cells: Path,
    reviewed: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # The base data without the classes that were wrong: what a lab would keep.
    data = tmp_path / "kept"
    shutil.copytree(cells, data, ignore=shutil.ignore_patterns(*CORRECTED))
    target = base.parent / "2"
    settings = replace(experiment, name="retrain", stages=(Stage(size=224, epochs=4, batch=8),))
    info = retrain(
        base, settings, load_images(data), load_images(cells, table=reviewed), target, tmp_path / "runs"
    )
    assert info.base == {"name": "hematovision", "version": 1}
    assert ModelInfo.load(target) == info
    assert info.review_threshold == 1
    assert "leaves nearly every cell Unidentified" in caplog.text  # so few are too few to prove anything
    for was, is_ in CORRECTED.items():
        assert said(base, cells, was).count(was) >= 15
        assert said(target, cells, was).count(is_) >= 15
    assert said(target, cells, "platelet").count("platelet") >= 15
    counted = info.metrics["reviewed"]
    assert counted["cells"] == 40
    assert counted["right_before"] <= 10
    assert counted["right_after"] >= 30


def test_an_older_number_is_invalid_before_any_work(base: Path, experiment: Experiment, cells: Path) -> None:
    images = load_images(cells)
    with pytest.raises(TrainingError, match="exists already"):
        retrain(base, experiment, images, images, base, base.parent / "runs")
    with pytest.raises(TrainingError, match="would not follow 1"):
        retrain(base, experiment, images, images, base.parent / "x" / "1", base.parent / "runs")
