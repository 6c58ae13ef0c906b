"""k-fold cross-validation of an experiment: how much of its score is the luck of one validation split."""

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from serving.contract import CELL_LABELS
from training.config import Experiment
from training.data.folds import fold_splits
from training.data.images import load_images, pixels
from training.evaluation import measures
from training.files import write_whole
from training.fingerprint import code_fingerprint
from training.fitting.loop import WEIGHTS_FILE, fit
from training.model.outputs import outputs

log = logging.getLogger(__name__)


def cross_validate(experiment: Experiment, count: int, runs: Path) -> Path:
    """Train `count` times, each time on all but one fold of the images outside the test split.

    Each fold is a run of its own, so an interrupted cross-validation goes on where it stopped. As in any run,
    the weights kept are the best on the fold they are scored on: the scores are a little too good, their
    spread is not.

    Returns:
        The summary `runs`/<name>-folds<count>.json: mean, standard deviation and values of each score.

    Raises:
        TrainingError: as train; or a class has fewer cells than folds.
    """
    images = load_images(experiment.data.root, seed=experiment.seed)
    decoded = {stage.size: pixels(images, stage.size, runs / "cache") for stage in experiment.stages}
    found = []
    for number, splits in enumerate(fold_splits(images, count, seed=experiment.seed), start=1):
        keras.utils.clear_session()
        run = fit(
            replace(experiment, name=f"{experiment.name}-fold{number}of{count}"),
            replace(images, splits=splits),
            decoded,
            runs,
        )
        held = np.flatnonzero(splits == "val")
        model = keras.saving.load_model(run / WEIGHTS_FILE, compile=False)
        logits, _ = outputs(model, decoded[experiment.stages[-1].size], held, f"Scoring fold {number}")
        found.append(_scores(logits.argmax(axis=1), images.labels[held]))
        log.info("Fold %d of %d: accuracy %.4f", number, count, found[-1]["accuracy"])
    scores = {name: _summary([fold[name] for fold in found]) for name in found[0]}
    for name, score in scores.items():
        log.info("%s: %.4f ± %.4f", name, score["mean"], score["standard_deviation"])
    summary = {
        "experiment": experiment.as_dict(),
        "fingerprints": {"data": images.fingerprint, "code": code_fingerprint()},
        "folds": count,
        "scores": scores,
    }
    path = runs / f"{experiment.name}-folds{count}.json"
    write_whole(path, json.dumps(summary, indent=2) + "\n")
    return path


def _scores(guesses: measures.Labels, labels: measures.Labels) -> dict[str, float]:
    recalls = {
        f"recall of {CELL_LABELS[label]}": float(measures.recall(guesses, labels, label))
        for label in np.unique(labels)
    }
    return {
        "accuracy": float(np.mean(guesses == labels)),
        "macro F1": float(measures.macro(measures.f1, guesses, labels)),
        **recalls,
    }


def _summary(values: list[float]) -> dict[str, Any]:
    return {
        "mean": float(np.mean(values)),
        "standard_deviation": float(np.std(values, ddof=1)),
        "values": values,
    }
