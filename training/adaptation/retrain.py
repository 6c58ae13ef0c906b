"""Fine-tuning the running version on labels that people corrected, among the data it came from."""

import logging
from pathlib import Path

import numpy as np

from serving.contract import ModelInfo
from training.adaptation.adapt import learn_on, made_from, together
from training.config import Experiment
from training.data.images import CellImages, pixels
from training.errors import TrainingError
from training.export.export import calibrate_on
from training.export.version import check_target, load_trainable, write_version
from training.model.outputs import outputs

log = logging.getLogger(__name__)

REVIEWED_SHARE = 0.25
"""Of what an epoch learns from; a few corrections among thousands of images would change nothing."""


def retrain(
    base: Path, experiment: Experiment, data: CellImages, reviewed: CellImages, target: Path, runs: Path
) -> ModelInfo:
    """Fine-tune version `base` on `reviewed` among its base `data`, and write it to `target`.

    The new version is calibrated on the validation images of both. How many of the reviewed cells that it did
    not learn from each version gets right is logged and kept in the new version's metrics.

    Raises:
        TrainingError: the base version cannot be trained further, `target` is taken or ill-named, or learning
        fails.
    """
    check_target(target)
    info = ModelInfo.load(base)
    if int(target.name) <= info.version:
        raise TrainingError(f"Version {target.name} would not follow {info.version}, from which it is made.")
    sources = (data, reviewed)
    decoded = [pixels(images, info.input_size, runs / "cache", full=info.input_size) for images in sources]
    learnt = [int((images.splits == "train").sum()) for images in sources]
    times = max(1, round(REVIEWED_SHARE / (1 - REVIEWED_SHARE) * learnt[0] / max(1, learnt[1])))
    images, pictures = together(sources, decoded, (1, times))
    held_out = np.flatnonzero(reviewed.splits != "train")
    every = np.arange(len(reviewed.labels))
    before, _ = outputs(load_trainable(base), decoded[1], every, "Before")
    model = learn_on(experiment, base, images, pictures, runs)
    after, _ = outputs(model, decoded[1], every, "After")
    right = {
        when: (logits.argmax(axis=1) == reviewed.labels)
        for when, logits in (("before", before), ("after", after))
    }
    metrics = {
        "reviewed": {
            "cells": len(reviewed.labels),
            "held_out": len(held_out),
            **{f"right_{when}": int(found.sum()) for when, found in right.items()},
            **{f"held_out_right_{when}": int(found[held_out].sum()) for when, found in right.items()},
        }
    }
    log.info("%s", metrics)
    images, pictures = together(sources, decoded, (1, 1))
    calibration, cells = calibrate_on(
        model, pictures, images.labels, images.rows("train"), images.rows("val")
    )
    new = made_from(info, target, calibration, data=images.fingerprint, metrics=metrics)
    write_version(target, model, calibration, cells, new)
    return new
