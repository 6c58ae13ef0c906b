"""Calibrating a trained run and writing it as a model version folder."""

import json
import logging
from datetime import datetime
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from serving.contract import CELL_LABELS, MODEL_NAME, ModelInfo
from training.data.images import Pictures, load_images, pixels
from training.errors import TrainingError
from training.export.calibrate import Calibration, calibrate, least_images
from training.export.distance import TrainingCells, locate
from training.export.serving_graphs import output_shapes, serving_function
from training.export.version import check_target, write_version
from training.fitting.loop import RUN_FILE, WEIGHTS_FILE
from training.model.outputs import outputs

log = logging.getLogger(__name__)

UNFLAGGED_ACCURACY = 0.997
"""What the review threshold must reach on the validation images."""


def export(run: Path, target: Path) -> ModelInfo:
    """Calibrate `run` on its validation images and write it to `target`, named by its version number.

    Raises:
        TrainingError: the run has no finished epoch, its data has changed, or `target` is taken or ill-named.
    """
    check_target(target)
    if not (run / WEIGHTS_FILE).is_file():
        raise TrainingError(
            f"{run} has no {WEIGHTS_FILE}: it is not a run, or its first epoch is not finished."
        )
    record = json.loads((run / RUN_FILE).read_text(encoding="utf-8"))
    settings = record["experiment"]
    images = load_images(Path(settings["data"]["root"]), seed=settings["seed"])
    if images.fingerprint != record["fingerprints"]["data"]:
        raise TrainingError(f"The images in {images.root} have changed since {run} was trained on them.")
    model = keras.saving.load_model(run / WEIGHTS_FILE, compile=False)
    size = settings["input_size"]
    decoded = pixels(images, size, run.parent / "cache", full=size)
    calibration, cells = calibrate_on(model, decoded, images.labels, images.rows("train"), images.rows("val"))
    info = ModelInfo(
        name=MODEL_NAME,
        version=int(target.name),
        labels=CELL_LABELS,
        input_size=size,
        outputs=output_shapes(serving_function(model, calibration, cells, size), size),
        temperature=calibration.temperature,
        review_threshold=calibration.review_threshold,
        metrics={},
        fingerprints=record["fingerprints"],
        backbone=settings["backbone"]["name"],
        trained_at=datetime.fromisoformat(record["trained_at"]),
        licence=settings["licence"],
        base=None,
    )
    write_version(target, model, calibration, cells, info)
    return info


def calibrate_on(
    model: keras.Model,
    decoded: Pictures,
    labels: NDArray[np.int64],
    learnt: NDArray[np.int64],
    unseen: NDArray[np.int64],
) -> tuple[Calibration, TrainingCells]:
    """Calibrate `model` on the rows `unseen` of `decoded`, with the rows `learnt` as its training cells.

    Args:
        model: the classifier.
        decoded: pictures uint8 [M,S,S,3].
        labels: [M].
        learnt, unseen: row numbers.
    """
    _, embeddings = outputs(model, decoded, learnt, "Locating the training cells")
    cells = locate(embeddings, labels[learnt])
    logits, embeddings = outputs(model, decoded, unseen, "Calibrating")
    distances = cells.distances(embeddings, logits.argmax(axis=1))
    calibration = calibrate(logits, distances, labels[unseen], target=UNFLAGGED_ACCURACY)
    log.info(
        "temperature %.3f, review threshold %.4f, distance limit %.1f",
        calibration.temperature,
        calibration.review_threshold,
        calibration.distance_limit,
    )
    if calibration.review_threshold >= 1:
        log.warning(
            "These %d validation images show of no confidence that %.1f %% above it are right, which takes "
            "at least %d: the version leaves nearly every cell Unidentified. Give it more base data.",
            len(unseen),
            100 * UNFLAGGED_ACCURACY,
            least_images(UNFLAGGED_ACCURACY),
        )
    return calibration, cells
