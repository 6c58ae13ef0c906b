"""What commissioning brings: it is given cells drawn from a labelled set, and scored on all others."""

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serving.contract import CELL_LABELS, ModelInfo
from training.adaptation.commission import adapted
from training.config import Experiment
from training.data.images import CellImages, pixels
from training.errors import TrainingError
from training.evaluation.scores import guesses_among
from training.export.version import load_trainable
from training.files import write_whole
from training.fingerprint import code_fingerprint
from training.model.outputs import outputs

log = logging.getLogger(__name__)

DRAWS_FILE = "draws.json"
STRENGTHS = (0.0003, 0.003, 0.03, 0.3)  # of a new head, the inverse of regularisation
FOLDS = 5  # by which the drawn cells choose among them


def score_draws(
    version: Path, experiment: Experiment, cells: CellImages, per_class: int, count: int, runs: Path
) -> Path:
    """Draw cells `count` times, adapt `version` to them as commissioning does, and score it on the others.

    The others are all pictures but those of the drawn cells. An interrupted call goes on where it stopped.

    Args:
        version: version folder.
        experiment: how to adapt.
        cells: another lab's; their splits do not count.
        per_class: cells of each class to draw, one picture of each.
        count: how many draws.
        runs: for the runs, the cache of decoded images, and the findings.

    Returns:
        `runs`/draws.json: of each draw, and their mean, the accuracy of the version as it came (among the
        classes that `cells` has), with a new head alone (logistic regression on its embeddings), and
        commissioned.

    Raises:
        TrainingError: a class has too few cells, or learning fails.
    """
    info = ModelInfo.load(version)
    pictures = pixels(cells, info.input_size, runs / "cache", full=info.input_size)
    chosen = [drawn(cells, per_class, seed=seed) for seed in range(count)]  # before work that takes minutes
    logits, embeddings = outputs(
        load_trainable(version), pictures, np.arange(len(cells.labels)), "The version as it came"
    )
    as_it_came = guesses_among(np.unique(cells.labels), logits)
    found = []
    for number, learnt in enumerate(chosen, start=1):
        others = np.flatnonzero(~np.isin(cells.cells, cells.cells[learnt]))
        head = GridSearchCV(
            make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
            {"logisticregression__C": STRENGTHS},
            cv=FOLDS,
        ).fit(embeddings[learnt], cells.labels[learnt])
        splits = np.full(len(cells.labels), "test", "<U5")
        splits[learnt] = "train"
        model = adapted(version, experiment, replace(cells, splits=splits), pictures, runs)
        commissioned, _ = outputs(model, pictures, others, f"Draw {number}")
        guesses = {
            "as it came": as_it_came[others],
            "new head alone": head.predict(embeddings[others]),
            "commissioned": commissioned.argmax(axis=1),
        }
        right = {name: float((guess == cells.labels[others]).mean()) for name, guess in guesses.items()}
        found.append({"pictures": len(others), **right})
        log.info("Draw %d of %d: %s", number, count, found[-1])
    findings: dict[str, Any] = {
        "version": f"{info.name} {info.version}",
        "fingerprints": {"data": cells.fingerprint, "code": code_fingerprint()},
        "cells": len(np.unique(cells.cells)),
        "per_class": per_class,
        "mean": {name: float(np.mean([draw[name] for draw in found])) for name in found[0]},
        "draws": found,
    }
    write_whole(runs / DRAWS_FILE, json.dumps(findings, indent=2) + "\n")
    return runs / DRAWS_FILE


def drawn(cells: CellImages, per_class: int, *, seed: int) -> NDArray[np.int64]:
    """Rows of one picture each of `per_class` cells of each class.

    Raises:
        TrainingError: a class has no more cells than that, so that none would be left to score on.
    """
    random, rows = np.random.default_rng(seed), []
    for label in np.unique(cells.labels):
        own = np.flatnonzero(cells.labels == label)
        _, first = np.unique(cells.cells[own], return_index=True)
        if len(first) <= per_class:
            raise TrainingError(
                f"{cells.root} has {len(first)} {CELL_LABELS[label]} cell(s), too few to draw {per_class} "
                "and score on others. Draw fewer."
            )
        rows.append(own[random.permutation(first)[:per_class]])
    return np.concatenate(rows)
