"""Commissioning: fitting a version to another lab's slides from a few of its cells, and proving it first.

As a lab does with any new analyser: it gives cells of its own with their classes, the version is adapted to
its stain and camera, and what that is worth is measured on cells that the adaptation has not seen.
"""

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from serving.contract import CELL_LABELS, INPUT_SIZE, ModelInfo
from training.adapt import learn_on, together
from training.calibrate import Calibration, distance_limit, fit_temperature, review_threshold, softmax
from training.config import Experiment
from training.data import CellImages, pixels
from training.distance import locate
from training.errors import TrainingError
from training.export import outputs
from training.fingerprint import code_fingerprint
from training.version import check_target, load_trainable, write_version

log = logging.getLogger(__name__)

FOLDS = 5
UNFLAGGED_ACCURACY = 0.95
"""What a lab's review threshold must reach on its cells; a hundred of them cannot show more."""


@dataclass(frozen=True)
class Unseen:
    """What the adapted versions said of cells that they did not learn from, each cell once."""

    logits: NDArray[np.float32]
    distances: NDArray[np.float32]


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

    A class without cells in `cells` is never suggested unflagged (training.distance).

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
    folds = grouped_folds(labels, cells.cells, FOLDS)
    pictures = pixels(cells, INPUT_SIZE, runs / "cache")
    times = experiment.stages[0].epochs
    # One epoch over repeated cells: choosing among epochs by the held-out cells would flatter them.
    experiment = replace(experiment, stages=tuple(replace(stage, epochs=1) for stage in experiment.stages))

    def adapted(name: str, learnt: NDArray[np.int64]) -> Any:
        splits = np.full(len(labels), "val", "<U5")
        splits[learnt] = "train"
        images, repeated = together([replace(cells, splits=splits)], [pictures], [times])
        if len(learnt) == len(labels):
            images = replace(images, splits=np.where(np.arange(len(images.labels)) == 0, "val", "train"))
        return learn_on(
            replace(experiment, name=f"{target.parent.name}-{target.name}-{name}"),
            load_trainable(base),
            images,
            repeated,
            runs,
        )

    logits = np.zeros((len(labels), len(CELL_LABELS)), np.float32)
    distances = np.zeros(len(labels), np.float32)
    for fold in range(FOLDS):
        learnt, held_out = rows[folds != fold], rows[folds == fold]
        model = adapted(f"fold{fold}", learnt)
        located = locate(outputs(model, pictures, learnt, f"Fold {fold + 1}")[1], labels[learnt])
        logits[held_out], embeddings = outputs(model, pictures, held_out, f"Fold {fold + 1}")
        distances[held_out] = located.distances(embeddings, logits[held_out].argmax(axis=1))

    before, _ = outputs(load_trainable(base), pictures, rows, "The base version")
    temperature, limit = fit_temperature(logits, labels), distance_limit(distances)
    probabilities = softmax(logits / temperature)
    threshold = review_threshold(probabilities, labels, distances <= limit, target=UNFLAGGED_ACCURACY)
    right = logits.argmax(axis=1) == labels
    unflagged = (probabilities.max(axis=1) >= threshold) & (distances <= limit)
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
        "temperature": temperature,
        "review_threshold": threshold,
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
    model = adapted("all", rows)
    located = locate(outputs(model, pictures, rows, "Locating the lab's cells")[1], labels)
    write_version(
        target,
        model,
        Calibration(temperature, threshold, limit, located),
        replace(
            info,
            name=target.parent.name,
            version=int(target.name),
            temperature=temperature,
            review_threshold=threshold,
            metrics={"commissioning": findings},
            fingerprints={"data": cells.fingerprint, "code": code_fingerprint()},
            trained_at=datetime.now(UTC).replace(microsecond=0),
            base={"name": info.name, "version": info.version},
        ),
    )
    return findings


def grouped_folds(labels: NDArray[np.int64], cells: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """A fold for each image, [N]: each class spread evenly, pictures of the same cell together.

    Raises:
        TrainingError: a class has fewer different cells than there are folds.
    """
    numbers = np.zeros(len(labels), np.int64)
    random = np.random.default_rng(0)
    for label in np.unique(labels):
        groups = random.permutation(np.unique(cells[labels == label]))
        if len(groups) < folds:
            raise TrainingError(
                f"{CELL_LABELS[label]} has {len(groups)} different cell(s). "
                f"Give at least {folds} of each class, better 20."
            )
        for place, group in enumerate(groups):
            numbers[cells == group] = place % folds
    return numbers
