"""The forms that a version could ship in, side by side: what each costs and what it gets wrong."""

import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from serving.contract import IMAGE, MODEL_FILE, PROBABILITIES, SIGNATURE, ModelInfo
from training.data.images import CellImages, pixels
from training.evaluation.comparison import identity
from training.evaluation.inference import lite_predictor, predict_rows, saved_model_predictor
from training.export.serving_graphs import PRECISIONS, to_lite

BATCH = 32
REPEATS = 20  # of a batch, to measure speed
EXAMPLES = 400
"""Training pictures from which int8 takes the ranges of its activations."""


def compare_formats(version: Path, images: CellImages, split: str, cache: Path) -> dict[str, Any]:
    """Which version this is, and one row of values for each of PRECISIONS, on the pictures of one split.

    They are compared with the SavedModel. Speed is that of pictures in memory: in batches of BATCH on all
    cores, and one by one on one interpreter for each core, as the embedded server works.

    Raises:
        TrainingError: the split has no image.
        ModelFolderError: `version` is no usable version.
    """
    info = ModelInfo.load(version)
    decoded = pixels(images, info.input_size, cache, full=info.input_size)
    rows = images.rows(split)
    learnt = images.rows("train")
    examples = decoded[
        np.sort(np.random.default_rng(0).choice(learnt, min(EXAMPLES, len(learnt)), replace=False))
    ]
    reference = predict_rows(saved_model_predictor(version), decoded, rows, "SavedModel")[PROBABILITIES]
    table = []
    for precision in PRECISIONS:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            (folder / MODEL_FILE).write_bytes(to_lite(version, precision, examples))
            found = predict_rows(lite_predictor(folder), decoded, rows, precision)[PROBABILITIES]
            guesses = found.argmax(axis=1)
            table.append(
                {
                    "form": precision,
                    "megabytes": (folder / MODEL_FILE).stat().st_size / 1e6,
                    f"images/s in batches of {BATCH}": batch_speed(folder, decoded[rows[:BATCH]]),
                    "images/s one by one": single_speed(folder, decoded[rows[:BATCH]]),
                    "accuracy": float((guesses == images.labels[rows]).mean()),
                    "labels as SavedModel": float((guesses == reference.argmax(axis=1)).mean()),
                    "largest difference of a probability": float(np.abs(found - reference).max()),
                }
            )
    return {**identity(info), "images": f"{images.root.name} {split}", "forms": table}


def batch_speed(folder: Path, batch: NDArray[np.uint8]) -> float:
    """Images per second of one interpreter on all cores."""
    predict = lite_predictor(folder)
    predict(batch)
    started = time.perf_counter()
    for _ in range(REPEATS):
        predict(batch)
    return REPEATS * len(batch) / (time.perf_counter() - started)


def single_speed(folder: Path, batch: NDArray[np.uint8]) -> float:
    """Images per second of an interpreter for each core, one image at a time."""
    cores = os.cpu_count() or 1
    runners = [
        Interpreter(str(folder / MODEL_FILE), num_threads=1).get_signature_runner(SIGNATURE)
        for _ in range(cores)
    ]

    def work(runner: Any) -> None:
        for _ in range(REPEATS):
            for image in batch:
                runner(**{IMAGE: image[None]})

    for runner in runners:
        runner(**{IMAGE: batch[:1]})
    started = time.perf_counter()
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(work, runners))
    return cores * REPEATS * len(batch) / (time.perf_counter() - started)
