"""Folds of labelled pictures for cross-validation: alike in their classes, sharing no cell."""

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from serving.contract import CELL_LABELS
from training.data.images import CellImages
from training.errors import TrainingError


def fold_splits(images: CellImages, count: int, *, seed: int) -> list[NDArray[np.str_]]:
    """Splits [N] of each fold: one part of the images outside the test split is val, the others are train.

    The parts are alike in their classes, and pictures of one cell lie in the same.

    Raises:
        TrainingError: a class has fewer cells than there are folds.
    """
    pool = np.flatnonzero(images.splits != "test")
    labels, cells = images.labels[pool], images.cells[pool]
    for label in np.unique(labels):
        if (own := len(np.unique(cells[labels == label]))) < count:
            raise TrainingError(
                f"{images.root} has {own} {CELL_LABELS[label]} cell(s) outside its test split, too few for "
                f"{count} folds. Add images, or ask for fewer folds."
            )
    folds = StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=seed)
    splits = []
    for _, held in folds.split(pool, labels, cells):
        split = np.where(images.splits == "test", "test", "train")
        split[pool[held]] = "val"
        splits.append(split)
    return splits
