"""Scores of an exported version on labelled images, in the form that ships."""

import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from serving.contract import CELL_LABELS, DISTANCE, EVIDENCE, PROBABILITIES, ModelInfo
from training.data.images import SPLITS, CellImages, pixels
from training.errors import TrainingError
from training.evaluation.evidence_check import EvidenceScores, cell_mask, pointing, summarise
from training.evaluation.gallery import Example, Mistake, evidence_examples, worst_mistakes
from training.evaluation.inference import (
    Parity,
    Predict,
    lite_predictor,
    parity,
    predict_rows,
    saved_model_predictor,
)
from training.evaluation.intervals import Bootstrap
from training.evaluation.measures import Labels
from training.evaluation.scores import Scores, score
from training.fingerprint import code_fingerprint


@dataclass(frozen=True)
class ImageSet:
    """Images to score a version on: one split of them, or with `split` None all."""

    images: CellImages
    split: str | None
    same_lab: bool
    """Whether they come from where the version's training images came from."""

    @property
    def name(self) -> str:
        """As in model.json's metrics."""
        return self.images.root.name + (f"_{self.split}" if self.split else "")

    @property
    def rows(self) -> NDArray[np.int64]:
        """Raises TrainingError where the split has no image."""
        return self.images.rows(self.split) if self.split else np.arange(len(self.images.files))


@dataclass(frozen=True)
class SetEvaluation:
    """What a version does on one set of images."""

    name: str
    data: str
    """The folder's name."""
    split: str | None
    same_lab: bool
    held_out: bool
    """Whether the version's fingerprint shows that these images were kept out of its training."""
    fingerprint: str
    learnt_from: dict[str, dict[str, int]] | None
    """Images by class and split, where the fingerprint shows that the version learnt from this folder."""
    scores: Scores
    evidence: EvidenceScores
    mistakes: tuple[Mistake, ...]
    examples: tuple[Example, ...]
    parity: Parity | None
    images_per_second: float


@dataclass(frozen=True)
class Evaluation:
    """What a version is worth, on every set that it was tried on."""

    info: ModelInfo
    evaluated_at: datetime
    code: str
    """Fingerprint of the program that measured."""
    sets: tuple[SetEvaluation, ...]


def evaluate(folder: Path, sets: list[ImageSet], cache: Path, *, with_parity: bool = False) -> Evaluation:
    """Score the LiteRT form of a version on each set, and on request compare it with the SavedModel.

    Args:
        folder: the version.
        sets: what to score it on.
        cache: folder of decoded images.
        with_parity: compare them.

    Raises:
        TrainingError: a split is empty, an image cannot be read, or the version does not know a class.
        ModelFolderError: `folder` is no usable version.
    """
    info = ModelInfo.load(folder)
    for one in sets:
        _labels(one, info)  # before work that takes minutes
    lite = lite_predictor(folder)
    other = saved_model_predictor(folder) if with_parity else None
    return Evaluation(
        info=info,
        evaluated_at=datetime.now(UTC).replace(microsecond=0),
        code=code_fingerprint(),
        sets=tuple(evaluate_set(info, lite, other, one, cache) for one in sets),
    )


def key_scores(evaluated: SetEvaluation) -> dict[str, Any]:
    """What model.json keeps: scores by name, their 95 % intervals, scores by class, confusion matrix."""
    scores = evaluated.scores
    estimates = {
        "accuracy": scores.accuracy,
        "accuracy_among_present": scores.accuracy_among_present,
        "macro_precision": scores.macro_precision,
        "macro_recall": scores.macro_recall,
        "macro_f1": scores.macro_f1,
        "ece": scores.ece,
        "coverage": scores.review.coverage,
        "unflagged_accuracy": scores.review.unflagged_accuracy,
        "mistakes_flagged": scores.review.mistakes_flagged,
        "evidence_peak_inside": evaluated.evidence.peak_inside,
    }
    by_class = {
        one.label: {
            "images": one.images,
            "precision": one.precision.value,
            "recall": one.recall.value,
            "f1": one.f1.value,
            "roc_auc": one.roc_auc.value,
        }
        for one in scores.by_class
    }
    return {
        "images": scores.images,
        "distinct_cells": scores.distinct_cells,
        "held_out": evaluated.held_out,
        **{name: estimate.value for name, estimate in estimates.items()},
        "intervals": {name: [estimate.low, estimate.high] for name, estimate in estimates.items()},
        "by_class": by_class,
        "confusion": scores.confusion,
        "parity": asdict(evaluated.parity) if evaluated.parity else None,
    }


def record(folder: Path, evaluation: Evaluation) -> None:
    """Keep the key scores under metrics of the version's model.json, by the sets' names."""
    info = ModelInfo.load(folder)
    scores = {one.name: key_scores(one) for one in evaluation.sets}
    replace(info, metrics={**info.metrics, **scores}).save(folder)


def evaluate_set(
    info: ModelInfo, lite: Predict, other: Predict | None, chosen: ImageSet, cache: Path
) -> SetEvaluation:
    """Scores of the form `lite` on one set, and its parity with the form `other`. Raises as `evaluate`."""
    images, rows = chosen.images, chosen.rows
    labels = _labels(chosen, info)
    files = [images.files[row] for row in rows]
    decoded = pixels(images, info.input_size, cache, full=info.input_size)

    def picture_of(index: int) -> NDArray[np.uint8]:
        picture: NDArray[np.uint8] = decoded[rows[index]]
        return picture

    begun = time.perf_counter()
    outputs = predict_rows(lite, decoded, rows, f"{chosen.name}, LiteRT")
    seconds = time.perf_counter() - begun
    agreement = (
        parity(outputs, predict_rows(other, decoded, rows, f"{chosen.name}, SavedModel")) if other else None
    )
    bootstrap = Bootstrap(labels, images.cells[rows])

    guesses = outputs[PROBABILITIES].argmax(axis=1)
    maps = outputs[EVIDENCE][np.arange(len(rows)), :, :, guesses]
    masks = [cell_mask(picture_of(index)) for index in track(range(len(rows)), f"{chosen.name}, evidence")]
    found = [None if mask is None else pointing(one, mask) for one, mask in zip(maps, masks, strict=True)]
    right = guesses == labels
    eligible = right & np.array([one is not None for one in found])

    known = images.fingerprint == info.fingerprints["data"]
    return SetEvaluation(
        name=chosen.name,
        data=images.root.name,
        split=chosen.split,
        same_lab=chosen.same_lab,
        held_out=chosen.split == "test" if known else not chosen.same_lab,
        fingerprint=images.fingerprint,
        learnt_from=_counts(images) if known else None,
        scores=score(info, outputs[PROBABILITIES], outputs[DISTANCE], labels, bootstrap),
        evidence=summarise(found, right, bootstrap),
        mistakes=worst_mistakes(info, outputs, labels, files, picture_of),
        examples=evidence_examples(info, maps, masks, labels, eligible, files, picture_of),
        parity=agreement,
        images_per_second=len(rows) / seconds,
    )


def _counts(images: CellImages) -> dict[str, dict[str, int]]:
    return {
        CELL_LABELS[label]: {
            split: int(np.sum((images.labels == label) & (images.splits == split))) for split in SPLITS
        }
        for label in np.unique(images.labels)
    }


def _labels(chosen: ImageSet, info: ModelInfo) -> Labels:
    """The class of each image as an index into info.labels."""
    names = [CELL_LABELS[label] for label in chosen.images.labels[chosen.rows]]
    if unknown := sorted(set(names) - set(info.labels)):
        raise TrainingError(f"{chosen.name} has the class {unknown[0]}, which this version does not know.")
    return np.array([info.labels.index(name) for name in names])
