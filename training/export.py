"""Calibrating a trained run and writing it as a model version folder, whole or not at all."""

import json
import logging
import math
import shutil
import tempfile
from datetime import datetime
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from rich.progress import track
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from serving.contract import (
    CELL_LABELS,
    EMBEDDING,
    EVIDENCE,
    IMAGE,
    INPUT_SHAPE,
    INPUT_SIZE,
    MODEL_FILE,
    MODEL_NAME,
    PROBABILITIES,
    SIGNATURE,
    ModelInfo,
)
from training import model as _registered_layers  # noqa: F401  (custom layers must be known before loading)
from training.calibrate import fit_temperature, review_threshold, softmax
from training.data import load_images, pixels
from training.errors import TrainingError
from training.train import EVALUATION_BATCH, RUN_FILE, WEIGHTS_FILE

log = logging.getLogger(__name__)

UNFLAGGED_ACCURACY = 0.997
"""What the review threshold must reach on the validation images."""


def export(run: Path, target: Path) -> ModelInfo:
    """Calibrate `run` on its validation images and write it to `target`, named by its version number.

    Raises:
        TrainingError: the run has no finished stage, its data has changed, or `target` is taken or ill-named.
    """
    if not target.name.isdecimal():
        raise TrainingError(f"The version folder must be named by a number, such as {target / '1'}.")
    if target.exists():
        raise TrainingError(f"{target} exists already. Export under a new number, or remove it.")
    if not (run / WEIGHTS_FILE).is_file():
        raise TrainingError(
            f"{run} has no {WEIGHTS_FILE}: it is not a run, or its first stage is not finished."
        )
    record = json.loads((run / RUN_FILE).read_text(encoding="utf-8"))
    settings = record["experiment"]
    images = load_images(Path(settings["data"]["root"]), seed=settings["seed"])
    if images.fingerprint != record["fingerprints"]["data"]:
        raise TrainingError(f"The images in {images.root} have changed since {run} was trained on them.")
    model = keras.saving.load_model(run / WEIGHTS_FILE, compile=False)

    rows = images.rows("val")
    labels = images.labels[rows]
    logits = predict_logits(model, pixels(images, INPUT_SIZE, run.parent / "cache"), rows)
    temperature = fit_temperature(logits, labels)
    threshold = review_threshold(softmax(logits / temperature), labels, target=UNFLAGGED_ACCURACY)
    log.info("temperature %.3f, review threshold %.4f", temperature, threshold)

    info = ModelInfo(
        name=MODEL_NAME,
        version=int(target.name),
        labels=CELL_LABELS,
        input_size=INPUT_SIZE,
        temperature=temperature,
        review_threshold=threshold,
        metrics={},
        fingerprints=record["fingerprints"],
        backbone=settings["backbone"]["name"],
        trained_at=datetime.fromisoformat(record["trained_at"]),
        licence=settings["licence"],
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, under a name no server takes for a version, so that the last move is one rename.
    with tempfile.TemporaryDirectory(prefix=".export-", dir=target.parent) as scratch:
        folder = Path(scratch) / target.name
        write_graphs(model, temperature, folder)
        info.save(folder)
        ModelInfo.load(folder)
        folder.rename(target)
    return info


def predict_logits(
    model: keras.Model, decoded: NDArray[np.uint8], rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Uncalibrated logits [N,K] of the given rows of uint8 images."""
    predict = tf.function(
        lambda batch: model(tf.cast(batch, tf.float32), training=False)["logits"], reduce_retracing=True
    )
    batches = np.array_split(rows, math.ceil(len(rows) / EVALUATION_BATCH))
    return np.concatenate(
        [predict(tf.constant(decoded[batch])).numpy() for batch in track(batches, "Calibrating")]
    )


def write_graphs(model: keras.Model, temperature: float, folder: Path) -> None:
    """Write both forms of the serving function into `folder`: frozen SavedModel and float32 model.tflite."""

    def serve(image: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = model(tf.cast(image, tf.float32), training=False)
        return {
            PROBABILITIES: tf.nn.softmax(outputs["logits"] / temperature),
            EVIDENCE: outputs["evidence"],
            EMBEDDING: outputs["embedding"],
        }

    signature = tf.TensorSpec((None, *INPUT_SHAPE), tf.uint8, name=IMAGE)
    concrete = tf.function(serve, input_signature=[signature]).get_concrete_function()
    # Constants instead of variables: the graph optimiser can then fold batch norm into the convolutions.
    frozen = convert_variables_to_constants_v2(concrete)
    names = sorted(concrete.structured_outputs)  # the order in which tf.function flattens a dict

    def serve_frozen(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return dict(zip(names, frozen(image), strict=True))

    module = tf.Module()
    module.serve = tf.function(serve_frozen, input_signature=[signature])
    tf.saved_model.save(module, str(folder), signatures={SIGNATURE: module.serve})
    if not any((folder / "assets").iterdir()):
        shutil.rmtree(folder / "assets")
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=[SIGNATURE])
    (folder / MODEL_FILE).write_bytes(converter.convert())
