"""training.data.folds: parts that are alike, share no cell and leave the test split alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from serving.contract import CELL_LABELS
from training.data.folds import fold_splits
from training.data.images import CellImages
from training.errors import TrainingError


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
