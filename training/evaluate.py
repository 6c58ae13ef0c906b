"""Scores of an exported version on labelled images, and the parity of its two forms."""

import math
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from rich.progress import track

from serving.contract import CELL_LABELS, IMAGE, INPUT_SIZE, MODEL_FILE, PROBABILITIES, SIGNATURE, ModelInfo
from training.data import CellImages, pixels
from training.errors import TrainingError
from training.metrics import (
    Floats,
    Labels,
    confusion_matrix,
    coverage_at,
    expected_calibration_error,
    macro_f1,
    recall_by_class,
)

BATCH = 32

Predict = Callable[[NDArray[np.uint8]], dict[str, NDArray[np.float32]]]
"""Images uint8 [N,224,224,3] → the outputs of the signature."""


def lite_predictor(folder: Path, *, threads: int | None = None) -> Predict:
    """The LiteRT form of a version, on `threads` threads (default: one per core)."""
    interpreter = Interpreter(str(folder / MODEL_FILE), num_threads=threads or os.cpu_count())
    runner = interpreter.get_signature_runner(SIGNATURE)
    return lambda images: runner(**{IMAGE: images})


def saved_model_predictor(folder: Path) -> Predict:
    """The SavedModel form of a version."""
    loaded = tf.saved_model.load(str(folder))

    def predict(images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        # Looked up here, because a signature alone does not keep its model alive.
        outputs = loaded.signatures[SIGNATURE](**{IMAGE: tf.constant(images)})
        return {name: value.numpy() for name, value in outputs.items()}

    return predict


def probabilities(
    predict: Predict, decoded: NDArray[np.uint8], rows: NDArray[np.int64], what: str
) -> NDArray[np.float32]:
    """Probabilities [N,K] of the given rows of decoded images; `what` names the work on the progress bar."""
    batches = np.array_split(rows, math.ceil(len(rows) / BATCH))
    return np.concatenate([predict(decoded[batch])[PROBABILITIES] for batch in track(batches, what)])


def scores(info: ModelInfo, predicted: Floats, labels: Labels) -> dict[str, Any]:
    """Scores of one set of images.

    Labels are indices into info.labels. Where the set lacks some classes, accuracy still counts a guess of
    such a class as a mistake; accuracy_among_present is that of the best guess among the classes it has.
    """
    present = np.unique(labels)
    confusion = confusion_matrix(predicted.argmax(axis=1), labels, len(info.labels))
    recall = recall_by_class(confusion)
    at_threshold = coverage_at(info.review_threshold, predicted, labels)
    result = {
        "images": len(labels),
        "accuracy": float(np.trace(confusion) / len(labels)),
        "macro_f1": macro_f1(confusion),
        "ece": expected_calibration_error(predicted, labels),
        "recall": {info.labels[index]: float(recall[index]) for index in present},
        "coverage_at_threshold": at_threshold.coverage,
        "accuracy_at_threshold": at_threshold.accuracy,
        "mistakes_flagged": at_threshold.mistakes_flagged,
    }
    if len(present) < len(info.labels):
        result["accuracy_among_present"] = float(
            np.mean(present[predicted[:, present].argmax(axis=1)] == labels)
        )
    return result


def parity(one: Floats, other: Floats) -> dict[str, float]:
    """How far two forms of a version agree: share of equal labels, largest difference of a probability."""
    return {
        "labels_agree": float(np.mean(one.argmax(axis=1) == other.argmax(axis=1))),
        "largest_difference": float(np.abs(one - other).max()),
    }


def evaluate(
    folder: Path, images: CellImages, split: str | None, cache: Path, *, with_parity: bool
) -> dict[str, Any]:
    """Scores of the LiteRT form on one split (None: all images), and on request its parity to the SavedModel.

    Raises:
        TrainingError: the split is empty, an image cannot be read, or the version does not know a class.
        ModelFolderError: `folder` is no usable version.
    """
    info = ModelInfo.load(folder)
    rows = np.arange(len(images.files)) if split is None else images.rows(split)
    labels = np.array([_index(CELL_LABELS[label], info) for label in images.labels[rows]])
    decoded = pixels(images, INPUT_SIZE, cache)
    lite = probabilities(lite_predictor(folder), decoded, rows, "LiteRT")
    result = scores(info, lite, labels)
    if with_parity:
        result["parity"] = parity(
            lite, probabilities(saved_model_predictor(folder), decoded, rows, "SavedModel")
        )
    return result


def record(folder: Path, name: str, result: dict[str, Any]) -> None:
    """Keep a result under metrics[name] of the version's model.json."""
    info = ModelInfo.load(folder)
    replace(info, metrics={**info.metrics, name: result}).save(folder)


def _index(label: str, info: ModelInfo) -> int:
    if label not in info.labels:
        raise TrainingError(f"The images have the class {label}, which this version does not know.")
    return info.labels.index(label)
