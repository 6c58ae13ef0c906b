"""What each defence against another lab's slides brings: short runs, each with one of them taken away."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from serving.contract import INPUT_SIZE
from training.adapt import reestimate_batch_norm
from training.config import Augmentation, Experiment, Stage
from training.data import CellImages, pixels
from training.export import outputs
from training.scores import guesses_among
from training.train import WEIGHTS_FILE, fit

log = logging.getLogger(__name__)

STAGES = (
    Stage(size=INPUT_SIZE, epochs=1, batch=32, unfrozen=0.0),
    Stage(size=INPUT_SIZE, epochs=2, batch=32),
)
LOOKS = ("stain", "colour", "exposure", "shading", "fringe", "blur", "resample", "jpeg", "noise")


def _same_looks(strength: Augmentation) -> Augmentation:
    return replace(strength, **dict.fromkeys(LOOKS, 0.0))


VARIANTS: dict[str, Callable[[Experiment], Experiment]] = {
    "all defences": lambda e: e,
    "no normalisation": lambda e: replace(e, normalisation=None),
    "one contrast for all channels": lambda e: replace(
        e, normalisation=e.normalisation and replace(e.normalisation, per_channel=0.0)
    ),
    "no variation of stain and optics": lambda e: replace(e, augmentation=_same_looks(e.augmentation)),
    "neither": lambda e: replace(e, normalisation=None, augmentation=_same_looks(e.augmentation)),
    "evidence anywhere": lambda e: replace(e, optimiser=replace(e.optimiser, evidence_outside=0.0)),
}


def ablate(
    experiment: Experiment, stages: tuple[Stage, ...], home: CellImages, other: CellImages, runs: Path
) -> list[dict[str, Any]]:
    """Train each of VARIANTS of `experiment` for `stages`, and score it at home and in the other lab.

    Returns:
        For each variant its accuracy on the validation images of `home`; on `other` among all classes, among
        those that it has, and the same with batch-norm statistics of its own pictures, without their labels.
    """
    present = np.unique(other.labels)
    sizes = {stage.size for stage in stages} | {INPUT_SIZE}
    decoded = {size: pixels(home, size, runs / "cache") for size in sizes}
    strange = pixels(other, INPUT_SIZE, runs / "cache")
    rows = np.arange(len(other.labels))
    table = []
    for name, change in VARIANTS.items():
        varied = replace(
            change(experiment), name=f"{experiment.name}-{name.replace(' ', '-')}", stages=stages
        )
        run = fit(varied, home, decoded, runs)
        model = keras.saving.load_model(run / WEIGHTS_FILE, compile=False)
        at_home, _ = outputs(model, decoded[INPUT_SIZE], home.rows("val"), name)
        logits, _ = outputs(model, strange, rows, name)
        reestimate_batch_norm(model, strange)
        adapted, _ = outputs(model, strange, rows, name)
        among, among_adapted = (guesses_among(present, found) for found in (logits, adapted))
        table.append(
            {
                "variant": name,
                "home": float((at_home.argmax(axis=1) == home.labels[home.rows("val")]).mean()),
                "other lab": float((logits.argmax(axis=1) == other.labels).mean()),
                "other lab, its classes": float((among == other.labels).mean()),
                "other lab, its classes, own batch norm": float((among_adapted == other.labels).mean()),
            }
        )
        log.info("%s", table[-1])
    return table
