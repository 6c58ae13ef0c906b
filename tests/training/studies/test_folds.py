"""training.studies.folds: each fold is trained once, and the scores are summed up."""

import json
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from serving.contract import CELL_LABELS
from training.config import Experiment, Stage
from training.data.folds import fold_splits
from training.data.images import load_images, pixels
from training.errors import TrainingError
from training.model.outputs import outputs
from training.studies import folds as module
from training.studies.folds import cross_validate


def test_scores_are_summed_up_over_the_folds_and_finished_ones_are_not_repeated(
    varied: Callable[..., Experiment], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = varied(stages=(Stage(size=32, epochs=1, batch=32),))

    def interrupted(*_: object) -> None:
        raise TrainingError("Interrupted")

    with monkeypatch.context() as patch:
        patch.setattr(module, "_scores", interrupted)
        with pytest.raises(TrainingError, match="Interrupted"):
            cross_validate(quick, 2, tmp_path)
    first = tmp_path / "small-fold1of2" / "model.keras"
    written = first.stat().st_mtime_ns
    path = cross_validate(quick, 2, tmp_path)
    assert path == tmp_path / "small-folds2.json"
    assert first.stat().st_mtime_ns == written
    scores = json.loads(path.read_text())["scores"]
    assert list(scores) == ["accuracy", "macro F1", *(f"recall of {label}" for label in CELL_LABELS)]
    for score in scores.values():
        assert score["mean"] == pytest.approx(np.mean(score["values"]))
        assert score["standard_deviation"] == pytest.approx(np.std(score["values"], ddof=1))
        assert len(score["values"]) == 2
    images = load_images(quick.data.root, seed=quick.seed)
    held = np.flatnonzero(fold_splits(images, 2, seed=quick.seed)[1] == "val")
    model = keras.saving.load_model(tmp_path / "small-fold2of2" / "model.keras", compile=False)
    logits, _ = outputs(model, pixels(images, 32, tmp_path / "cache"), held, "Scoring again")
    assert scores["accuracy"]["values"][1] == np.mean(logits.argmax(axis=1) == images.labels[held])
