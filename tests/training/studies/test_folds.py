"""training.studies.folds: parts that are alike, share no cell and leave the test split alone."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from serving.contract import CELL_LABELS
from training.config import Experiment, Stage
from training.data.images import CellImages, load_images, pixels
from training.errors import TrainingError
from training.export.export import outputs
from training.studies import folds as module
from training.studies.folds import cross_validate, fold_splits


@pytest.fixture
def images() -> CellImages:
    """300 cells of three classes, every third with two pictures; a tenth in the test split."""
    cells = np.concatenate([np.arange(300), np.arange(0, 300, 3)])
    labels = np.where(cells < 180, 0, np.where(cells < 270, 3, 5))
    splits = np.where(cells % 10 == 7, "test", np.where(cells % 10 == 3, "val", "train"))
    return CellImages(Path("cells"), tuple(map(str, range(400))), labels, splits, "f" * 64, cells)


def test_every_image_outside_the_test_split_is_held_out_once(images: CellImages) -> None:
    splits = np.stack(fold_splits(images, 5, seed=1))
    assert np.array_equal((splits == "test").all(axis=0), images.splits == "test")
    assert not (splits == "test").any(axis=0)[images.splits != "test"].any()
    assert ((splits == "val").sum(axis=0) == (images.splits != "test")).all()


def test_folds_never_part_pictures_of_a_cell_and_hold_each_class_alike(images: CellImages) -> None:
    for split in fold_splits(images, 5, seed=1):
        assert not set(images.cells[split == "val"]) & set(images.cells[split == "train"])
        held = np.bincount(images.labels[split == "val"], minlength=6)
        whole = np.bincount(images.labels[split != "test"], minlength=6)
        assert np.abs(held - whole / 5).max() <= 4


def test_folds_depend_on_the_seed_alone(images: CellImages) -> None:
    assert np.array_equal(fold_splits(images, 3, seed=1), fold_splits(images, 3, seed=1))
    assert not np.array_equal(fold_splits(images, 3, seed=1), fold_splits(images, 3, seed=2))


def test_too_few_cells_of_a_class_are_named(images: CellImages) -> None:
    rare = replace(images, labels=np.where(images.cells == 8, 6, images.labels))
    with pytest.raises(
        TrainingError, match=rf"has 1 {CELL_LABELS[6]} cell\(s\) outside its test split, too few"
    ):
        fold_splits(rare, 5, seed=1)


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
