"""The two forms of an exported version as functions, and how far they agree."""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from rich.progress import track

from serving.contract import DISTANCE, IMAGE, MODEL_FILE, PROBABILITIES, SIGNATURE
from training.errors import TrainingError

BATCH = 32

Outputs = dict[str, NDArray[np.float32]]
Predict = Callable[[NDArray[np.uint8]], Outputs]
"""Images uint8 [N,224,224,3] → the outputs of the signature."""


@dataclass(frozen=True)
class Parity:
    """How far the SavedModel agrees with the LiteRT form."""

    labels_agree: float
    largest_difference: float
    """Of a probability."""
    largest_distance_difference: float


def lite_predictor(folder: Path, *, threads: int | None = None) -> Predict:
    """The LiteRT form of a version, on `threads` threads (default: one per core).

    Raises:
        TrainingError: it has none.
    """
    if not (folder / MODEL_FILE).is_file():
        raise TrainingError(f"{folder} has no {MODEL_FILE}. Export the version again.")
    interpreter = Interpreter(str(folder / MODEL_FILE), num_threads=threads or os.cpu_count())
    runner = interpreter.get_signature_runner(SIGNATURE)
    return lambda images: runner(**{IMAGE: images})


def saved_model_predictor(folder: Path) -> Predict:
    """The SavedModel form of a version."""
    import tensorflow as tf  # its import takes seconds, and the form that ships does not need it

    loaded = tf.saved_model.load(str(folder))

    def predict(images: NDArray[np.uint8]) -> Outputs:
        # Looked up here, because a signature alone does not keep its model alive.
        outputs = loaded.signatures[SIGNATURE](**{IMAGE: tf.constant(images)})
        return {name: value.numpy() for name, value in outputs.items()}

    return predict


def predict_rows(predict: Predict, decoded: NDArray[np.uint8], rows: NDArray[np.int64], what: str) -> Outputs:
    """Outputs for the given rows of decoded images; `what` names the work on the progress bar."""
    batches = np.array_split(rows, math.ceil(len(rows) / BATCH))
    found = [predict(decoded[batch]) for batch in track(batches, what)]
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def parity(one: Outputs, other: Outputs) -> Parity:
    """How far two forms of a version agree."""
    labels = [outputs[PROBABILITIES].argmax(axis=1) for outputs in (one, other)]
    return Parity(
        labels_agree=float(np.mean(labels[0] == labels[1])),
        largest_difference=float(np.abs(one[PROBABILITIES] - other[PROBABILITIES]).max()),
        largest_distance_difference=float(np.abs(one[DISTANCE] - other[DISTANCE]).max()),
    )
