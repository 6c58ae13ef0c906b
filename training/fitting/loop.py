"""The training loop: growing resolution, averaged weights, checkpoints that resume."""

import json
import logging
import math
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from rich.progress import Progress

from serving.contract import CELL_LABELS
from training.config import Experiment
from training.data.images import CellImages, Pictures, load_images, pixels
from training.data.view import view_slice
from training.errors import Diverged, TrainingError
from training.files import write_whole
from training.fingerprint import code_fingerprint
from training.fitting.augment import augment, weakened
from training.fitting.interruption import interruptible
from training.fitting.schedule import Step, learning_rate, steps, total_steps
from training.model.classifier import build_classifier, unfreeze
from training.model.outputs import EVALUATION_BATCH

log = logging.getLogger(__name__)

RUN_FILE = "run.json"
WEIGHTS_FILE = "model.keras"
CHECKPOINT_EVERY = 200  # steps


def train(experiment: Experiment, runs: Path) -> Path:
    """Train, or go on where an interrupted run of the same experiment stopped.

    Args:
        experiment: what to train.
        runs: parent of the run's folder; decoded images are cached in `runs`/cache.

    Returns:
        The run's folder: run.json and model.keras (the averaged weights best on validation in the latest
        stage, or the mean of those of the last stages).

    Raises:
        TrainingError: unusable data or weights, interrupted, or a run of this name has other settings.
    """
    images = load_images(experiment.data.root, seed=experiment.seed)
    decoded = {stage.size: pixels(images, stage.size, runs / "cache") for stage in experiment.stages}
    return fit(experiment, images, decoded, runs)


def fit(
    experiment: Experiment,
    images: CellImages,
    decoded: Mapping[int, Pictures],
    runs: Path,
    *,
    start: keras.Model | None = None,
    on_epoch: Callable[[Sequence[Mapping[str, Any]]], None] | None = None,
) -> Path:
    """Like `train`, on images read before.

    Args:
        experiment: what to train.
        images: learnt from where their split is train, and watched where it is val.
        decoded: the pictures of all images, by size.
        runs: parent of the run's folder.
        start: the classifier to go on from; otherwise a new one on the experiment's backbone.
        on_epoch: called with the history after each epoch; what it raises ends the run.
    """
    rows, validation = images.rows("train"), images.rows("val")
    run = runs / experiment.name
    with _writing_to(run):
        record = _open_run(run / RUN_FILE, experiment, images)
    keras.utils.set_random_seed(experiment.seed)
    trainer = _Trainer(experiment, images.labels[rows], start)
    checkpoints = tf.train.CheckpointManager(trainer.checkpoint, str(run / "checkpoints"), max_to_keep=1)
    checkpoints.restore_or_initialize()
    record["history"] = [entry for entry in record["history"] if entry["step"] <= trainer.done]
    log.info("On %s, from step %d of %d.", _device(), trainer.done, trainer.total)

    averaged = experiment.optimiser.stages_averaged
    to_average = range(len(experiment.stages))[-averaged:] if averaged > 1 else range(0)
    losses: list[float] = []
    with Progress() as progress, interruptible() as interrupted:
        bar = progress.add_task(experiment.name, total=trainer.total, completed=trainer.done)
        for step in steps(experiment.stages, rows, seed=experiment.seed, start=trainer.done):
            if _is_stuck(record["history"], experiment, len(rows)):
                log.info(
                    "No better validation accuracy in %d epochs: stopped.", experiment.optimiser.patience
                )
                break
            stage = experiment.stages[step.stage]
            losses.append(trainer.step(step, decoded[stage.size][step.rows], images.labels[step.rows]))
            progress.update(
                bar, advance=1, description=f"{experiment.name} {stage.size} px, loss {losses[-1]:.2f}"
            )
            if step.ends_epoch:
                entry = {
                    "step": trainer.done,
                    "size": stage.size,
                    "loss": float(np.mean(losses)),
                    "val_accuracy": trainer.accuracy(decoded[stage.size], images.labels, validation),
                }
                log.info("%s", entry)
                record["history"].append(entry)
                losses.clear()
                scores = [past["val_accuracy"] for past in record["history"][-step.epoch - 1 :]]
                with _writing_to(run):
                    if scores[-1] == max(scores):
                        trainer.save_averaged(run / WEIGHTS_FILE)
                        if step.stage in to_average:
                            shutil.copyfile(run / WEIGHTS_FILE, run / _stage_file(step.stage))
                        record["trained_at"] = datetime.now(UTC).isoformat(timespec="seconds")
                    _write_json(run / RUN_FILE, record)
            stopping = interrupted()
            if step.ends_epoch or stopping or trainer.done % CHECKPOINT_EVERY == 0:
                with _writing_to(run):
                    checkpoints.save()
            if step.ends_epoch and on_epoch:
                on_epoch(record["history"])
            if stopping:
                raise TrainingError(
                    f"Interrupted at step {trainer.done} of {trainer.total}. "
                    "The same command goes on from there."
                )
    if to_average:
        with _writing_to(run):
            average_weights([run / _stage_file(stage) for stage in to_average], run / WEIGHTS_FILE)
    return run


def _stage_file(stage: int) -> str:
    return f"stage-{stage}.keras"


def average_weights(models: Sequence[Path], target: Path) -> None:
    """Write the model whose weights are the mean of those of `models`.

    Where they come from one run, it is as right as the best of them at home and more often right elsewhere
    (model soups: Wortsman et al., ICML 2022).
    """
    loaded = [keras.saving.load_model(path, compile=False) for path in models]
    for variables in zip(*(model.variables for model in loaded), strict=True):
        if np.issubdtype(variables[0].numpy().dtype, np.floating):  # the state of a dropout is none
            variables[0].assign(np.mean([variable.numpy() for variable in variables], axis=0))
    partial = target.with_stem(f"{target.stem}.partial")
    loaded[0].save(partial)
    partial.replace(target)


def _device() -> str:
    """Where TensorFlow computes."""
    names = [
        tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)
        for gpu in tf.config.list_physical_devices("GPU")
    ]
    return ", ".join(names) or f"{os.cpu_count()} CPU cores"


@contextmanager
def _writing_to(run: Path) -> Iterator[None]:
    """Names the run whose files cannot be written, whether by Python or by TensorFlow."""
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        raise TrainingError(
            f"Cannot write to {run} ({error}). Free some space there; the same command goes on from the last "
            "checkpoint."
        ) from error


class _Trainer:
    """Model, optimiser and averaged weights, with the number of steps done."""

    def __init__(self, experiment: Experiment, labels: NDArray[np.int64], start: keras.Model | None) -> None:
        settings = experiment.optimiser
        self._experiment = experiment
        self._model = start or build_classifier(
            experiment.backbone, experiment.normalisation, dropout=settings.dropout
        )
        self._optimiser = keras.optimizers.AdamW(weight_decay=settings.weight_decay, global_clipnorm=5.0)
        self._optimiser.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
        unfreeze(self._model, 1.0, batch_norm=True)
        self._weights = list(self._model.trainable_variables)
        self._optimiser.build(self._weights)
        # Batch-norm statistics are averages already, and are carried over as they are.
        self._averaged = tf.Module()
        self._averaged.weights = [tf.Variable(weight.value) for weight in self._weights]
        # A checkpoint of a Keras model leaves out the state of its dropout.
        self._random = tf.Module()
        self._random.states = [
            variable.value
            for variable in self._model.variables
            if variable.path.endswith("seed_generator_state")
        ]
        self._done = tf.Variable(0, dtype=tf.int64)
        self._class_weights = tf.constant(class_weights(labels, settings.class_weight_power), tf.float32)
        self._update = tf.function(self._update_eagerly)
        # Traced for each size of picture, which the normalisation has to know.
        self._predict = tf.function(lambda batch: self._model(batch, training=False)["logits"])
        self._count = len(labels)
        self.total = total_steps(experiment.stages, self._count)
        self.checkpoint = tf.train.Checkpoint(
            model=self._model,
            optimiser=self._optimiser,
            averaged=self._averaged,
            random=self._random,
            done=self._done,
        )

    @property
    def done(self) -> int:
        """Steps taken so far, over all interruptions."""
        return int(self._done)

    def step(self, step: Step, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> float:
        """Learn from one batch (uint8 [N,S,S,3], int64 [N]); the loss before the update.

        Raises:
            Diverged: the loss is no number.
        """
        settings = self._experiment.optimiser
        self._optimiser.learning_rate = learning_rate(
            step.number,
            self._experiment.stages,
            self._count,
            peak=settings.learning_rate,
            warmup=settings.warmup_steps,
        )
        seed = tf.constant([self._experiment.seed, step.number], tf.int32)
        decay = min(settings.ema_decay, (1 + step.number) / (10 + step.number))
        try:
            loss = float(
                self._update(tf.constant(images), tf.constant(labels), seed, tf.constant(decay), step.stage)
            )
        except tf.errors.ResourceExhaustedError as error:
            raise TrainingError(
                f"{len(images)} pictures of {images.shape[1]} px are too much for memory. Lower the batch."
            ) from error
        if not math.isfinite(loss):
            raise Diverged(f"The loss is {loss} at step {step.number}. Lower optimiser.learning_rate.")
        self._done.assign(step.number + 1)
        return loss

    def accuracy(self, decoded: Pictures, labels: NDArray[np.int64], rows: NDArray[np.int64]) -> float:
        """Share of `rows` that the averaged weights get right."""
        self._swap_averaged()
        view = view_slice(decoded.shape[1])
        batches = np.array_split(rows, math.ceil(len(rows) / EVALUATION_BATCH))
        guesses = [
            np.argmax(self._predict(tf.cast(decoded[batch][:, view, view], tf.float32)), axis=-1)
            for batch in batches
        ]
        self._swap_averaged()
        return float(np.mean(np.concatenate(guesses) == labels[rows]))

    def save_averaged(self, path: Path) -> None:
        """Write the model with its averaged weights; an older file stays whole until the new one is."""
        partial = path.with_stem(f"{path.stem}.partial")
        self._swap_averaged()
        try:
            self._model.save(partial)
            partial.replace(path)
        finally:
            self._swap_averaged()
            partial.unlink(missing_ok=True)

    def _swap_averaged(self) -> None:
        for average, weight in zip(self._averaged.weights, self._weights, strict=True):
            kept = tf.identity(average)
            average.assign(weight.value)
            weight.assign(kept)

    def _update_eagerly(
        self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor, decay: tf.Tensor, stage: int
    ) -> tf.Tensor:
        # Traced once for each stage.
        plan = self._experiment.stages[stage]
        unfreeze(self._model, plan.unfrozen, batch_norm=plan.batch_norm)
        variables = self._model.trainable_variables
        varied = augment(images, seed, weakened(self._experiment.augmentation, plan.variation))
        settings = self._experiment.optimiser
        smoothing = settings.label_smoothing
        targets = tf.one_hot(labels, len(CELL_LABELS)) * (1 - smoothing) + smoothing / len(CELL_LABELS)
        with tf.GradientTape() as tape:
            outputs = self._model(varied, training=True)
            losses = tf.nn.softmax_cross_entropy_with_logits(targets, outputs["logits"])
            losses += settings.evidence_outside * share_outside(outputs["evidence"])
            loss = tf.reduce_mean(losses * tf.gather(self._class_weights, labels))
        self._optimiser.apply(tape.gradient(loss, variables), variables)
        for average, weight in zip(self._averaged.weights, self._weights, strict=True):
            average.assign(decay * average + (1 - decay) * weight.value)
        return loss


def share_outside(evidence: tf.Tensor) -> tf.Tensor:
    """The share of evidence [N,h,w,K], of any sign and class, in the outermost ring of squares: [N].

    The cell is in the middle, so what counts out there is the company it keeps: true of one lab's slides
    only.
    """
    inside = tf.reduce_sum(tf.abs(evidence[:, 1:-1, 1:-1]), axis=(1, 2, 3))
    return 1 - inside / (tf.reduce_sum(tf.abs(evidence), axis=(1, 2, 3)) + 1e-6)


def _is_stuck(history: Sequence[Mapping[str, Any]], experiment: Experiment, count: int) -> bool:
    """Whether the last stage, on `count` images, has lost its patience with the validation accuracy."""
    patience = experiment.optimiser.patience
    begin = total_steps(experiment.stages[:-1], count)
    scores = [entry["val_accuracy"] for entry in history if entry["step"] > begin]
    return patience is not None and bool(scores) and len(scores) - 1 - int(np.argmax(scores)) >= patience


def class_weights(labels: NDArray[np.int64], power: float) -> NDArray[np.float64]:
    """Weight of each of CELL_LABELS: frequency ** -power, mean 1 over `labels`; 0 for an absent class."""
    counts = np.bincount(labels, minlength=len(CELL_LABELS))
    weights = np.where(counts > 0, np.maximum(counts, 1.0) ** -power, 0.0)
    return weights * len(labels) / np.sum(weights * counts)


def _open_run(path: Path, experiment: Experiment, images: CellImages) -> dict[str, Any]:
    """The record of a new run, or of the same run begun earlier."""
    record = {
        "experiment": experiment.as_dict(),
        "fingerprints": {"data": images.fingerprint, "code": code_fingerprint()},
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "history": [],
    }
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_json(path, record)
        return record
    earlier: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if earlier["experiment"] != record["experiment"]:
        raise TrainingError(
            f"{path.parent} holds a run with other settings. Rename the experiment, or remove that folder."
        )
    if earlier["fingerprints"]["data"] != images.fingerprint:
        raise TrainingError(
            f"{path.parent} was begun on other data. Rename the experiment, or remove that folder."
        )
    if earlier["fingerprints"]["code"] != code_fingerprint():
        log.warning("The code has changed since this run began; its fingerprint stays that of the beginning.")
    return earlier


def _write_json(path: Path, value: dict[str, Any]) -> None:
    write_whole(path, json.dumps(value, indent=2) + "\n")
