"""training.adaptation.commission: another lab's slides, adapted to, measured, and rejected if too little."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from serving.contract import CELL_LABELS, DISTANCE, PROBABILITIES, ModelInfo, to_model_input
from tests.training.drawn import draw_cell
from training.adaptation import commission as module
from training.adaptation.commission import commission
from training.config import FULL_SIZE, Experiment, Stage
from training.data.images import load_images
from training.errors import TrainingError
from training.evaluation.inference import lite_predictor
from training.report.commissioning import write_report

STAINED = CELL_LABELS[:5]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten cells of each of five classes, in the colours that the base version knows for other classes."""
    root, random = tmp_path_factory.mktemp("lab") / "slides", np.random.default_rng(5)
    for label, name in enumerate(STAINED):
        (root / name).mkdir(parents=True)
        for index in range(10):
            draw_cell((label + 1) % len(CELL_LABELS), random).save(root / name / f"{index}.png")
    return root


@pytest.fixture
def settings(experiment: Experiment) -> Experiment:
    return replace(experiment, name="commission", stages=(Stage(size=224, epochs=12, batch=8),))


def test_a_lab_gets_a_version_of_its_own(base: Path, lab: Path, settings: Experiment, tmp_path: Path) -> None:
    target = base.parents[1] / "lab-7" / "1"
    findings = commission(base, settings, load_images(lab), target, tmp_path / "runs", minimum=0.8)
    assert findings["base"]["accuracy"] < 0.3
    assert findings["accuracy"] >= 0.8
    assert findings["accepted"]
    assert findings["not_commissioned"] == list(CELL_LABELS[5:])
    info = ModelInfo.load(target)
    assert (info.name, info.version, info.base) == ("lab-7", 1, {"name": "hematovision", "version": 1})
    assert info.review_threshold == findings["review_threshold"]

    pictures = []
    for path in sorted(lab.rglob("*.png")):
        with Image.open(path) as image:
            pictures.append(to_model_input(image, FULL_SIZE))
    answers = lite_predictor(target)(np.stack(pictures))
    expected = np.repeat(np.sort([CELL_LABELS.index(name) for name in STAINED]), 10)
    assert (answers[PROBABILITIES].argmax(axis=1) == expected).mean() >= 0.9
    assert np.median(answers[DISTANCE]) < 1

    page = write_report(findings, target, tmp_path / "reports").read_text(encoding="utf-8")
    assert "Accepted" in page
    assert "no platelet" in page
    assert "http" not in page
    kept = json.loads((tmp_path / "reports" / "lab-7-1" / "findings.json").read_text(encoding="utf-8"))
    assert kept == findings


def test_what_cannot_be_told_apart_is_not_let_in(
    base: Path, lab: Path, settings: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        module, "FOLDS", 2
    )  # labels drawn by lot are as hard to learn from in two parts as in five
    images = load_images(lab)
    guessed = replace(images, labels=np.random.default_rng(0).permutation(images.labels))
    target = base.parents[1] / "lab-8" / "1"
    findings = commission(base, settings, guessed, target, tmp_path / "runs", minimum=0.85)
    assert not findings["accepted"]
    assert not target.parent.exists()
    page = write_report(findings, target, tmp_path / "reports").read_text(encoding="utf-8")
    assert "Rejected" in page
    assert "Give more cells" in page


def test_too_few_cells_of_a_class_are_named(
    base: Path, lab: Path, settings: Experiment, tmp_path: Path
) -> None:
    images = load_images(lab)
    rare = np.where((images.labels == 0) & (np.arange(len(images.labels)) % 10 > 3), 1, images.labels)
    with pytest.raises(TrainingError, match="4 basophil cell"):
        commission(
            base, settings, replace(images, labels=rare), tmp_path / "lab-9" / "1", tmp_path, minimum=0.85
        )
