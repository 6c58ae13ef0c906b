"""Commissioning: fitting a version to another lab's slides from a few of its cells, and proving it first.

As a lab does with any new analyser: it gives cells of its own with their classes, the version is adapted to
its stain and camera, and what that is worth is measured on cells that the adaptation has not seen.
"""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from serving.contract import CELL_LABELS, ModelInfo
from training.adaptation.adapt import learn_on, made_from, together
from training.config import Experiment
from training.data.folds import fold_splits
from training.data.images import CellImages, pixels
from training.export.calibrate import calibrate, softmax
from training.export.distance import locate
from training.export.version import check_target, load_trainable, write_version
from training.model.outputs import outputs

log = logging.getLogger(__name__)

FOLDS = 5
UNFLAGGED_ACCURACY = 0.95
"""What a lab's review threshold must reach on its cells; a hundred of them cannot show more."""


def commission(
    base: Path,
    experiment: Experiment,
    cells: CellImages,
    target: Path,
    runs: Path,
    *,
    minimum: float,
) -> dict[str, Any]:
    """Adapt version `base` to the lab of `cells`, and write it to `target` if it is right often enough.

    A class without cells in `cells` is never suggested unflagged (training.export.distance).

    Args:
        base: version folder.
        experiment: how to adapt.
        cells: the lab's own; their splits do not count.
        target: version folder to write; its parent's name becomes the model's.
        runs: for the runs and the cache of decoded images.
        minimum: the accuracy by cross-validation below which nothing is written.

    Returns:
        The findings: what `base` and the adapted version get right, in all and by class, the thresholds, and
        whether the version was written, as plain values.

    Raises:
        TrainingError: too few cells, `target` is taken or ill-named, or learning fails.
    """
    check_target(target)
    info = ModelInfo.load(base)
    labels, rows = cells.labels, np.arange(len(cells.labels))
    folds = fold_splits(replace(cells, splits=np.full(len(labels), "train")), FOLDS, seed=experiment.seed)
    pictures = pixels(cells, info.input_size, runs / "cache", full=info.input_size)
    logits = np.zeros((len(labels), len(CELL_LABELS)), np.float32)
    distances = np.zeros(len(labels), np.float32)
    for number, splits in enumerate(folds, start=1):
        learnt, held_out = rows[splits == "train"], rows[splits == "val"]
        model = adapted(base, experiment, replace(cells, splits=splits), pictures, runs)
        located = locate(outputs(model, pictures, learnt, f"Fold {number}")[1], labels[learnt])
        logits[held_out], embeddings = outputs(model, pictures, held_out, f"Fold {number}")
        distances[held_out] = located.distances(embeddings, logits[held_out].argmax(axis=1))

    before, _ = outputs(load_trainable(base), pictures, rows, "The base version")
    calibration = calibrate(logits, distances, labels, target=UNFLAGGED_ACCURACY)
    judged = replace(info, review_threshold=calibration.review_threshold)
    unflagged = ~judged.flags(
        softmax(logits / calibration.temperature), distances / calibration.distance_limit
    )
    right = logits.argmax(axis=1) == labels
    findings: dict[str, Any] = {
        "images": len(labels),
        "different_cells": len(np.unique(cells.cells)),
        "base": {
            "name": info.name,
            "version": info.version,
            "accuracy": float((before.argmax(axis=1) == labels).mean()),
        },
        "accuracy": float(right.mean()),
        "intervals": {
            "accuracy": list(binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson"))
        },
        "minimum": minimum,
        "accepted": bool(right.mean() >= minimum),
        "temperature": calibration.temperature,
        "review_threshold": calibration.review_threshold,
        "coverage": float(unflagged.mean()),
        "unflagged_accuracy": float(right[unflagged].mean()) if unflagged.any() else None,
        "mistakes_flagged": float((~unflagged)[~right].mean()) if (~right).any() else None,
        "classes": {
            CELL_LABELS[label]: {
                "cells": int((labels == label).sum()),
                "right": int(right[labels == label].sum()),
            }
            for label in np.unique(labels)
        },
        "confusion": [
            {"true": CELL_LABELS[true], "suggested": CELL_LABELS[guess], "cells": int(count)}
            for (true, guess), count in zip(
                *np.unique(
                    np.stack([labels, logits.argmax(axis=1)], axis=1)[~right], axis=0, return_counts=True
                ),
                strict=True,
            )
        ],
        "not_commissioned": [name for place, name in enumerate(CELL_LABELS) if place not in labels],
    }
    if not findings["accepted"]:
        return findings
    everything = replace(cells, splits=np.full(len(labels), "train"))
    model = adapted(base, experiment, everything, pictures, runs)
    located = locate(outputs(model, pictures, rows, "Locating the lab's cells")[1], labels)
    new = made_from(info, target, calibration, data=cells.fingerprint, metrics={"commissioning": findings})
    write_version(target, model, calibration, located, new)
    return findings


def adapted(
    base: Path, experiment: Experiment, cells: CellImages, pictures: NDArray[np.uint8], runs: Path
) -> keras.Model:
    """The classifier of version `base`, adapted to those of `cells` whose split is train.

    Raises:
        TrainingError: as learn_on.
    """
    # One epoch over repeated cells: choosing among epochs by the held-out cells would flatter them.
    once = replace(experiment, stages=tuple(replace(stage, epochs=1) for stage in experiment.stages))
    images, repeated = together([cells], [pictures], [experiment.stages[0].epochs])
    if "val" not in images.splits:
        # A run watches some image; what this one scores changes nothing.
        first = np.arange(len(images.labels)) == 0
        images = replace(images, splits=np.where(first, "val", images.splits))
    return learn_on(once, base, images, repeated, runs)
