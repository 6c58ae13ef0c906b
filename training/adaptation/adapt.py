"""What retraining and commissioning share: learning on from a version, with new cells among old or alone."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np
from numpy.typing import NDArray

from serving.contract import ModelInfo
from training.config import Experiment
from training.data.images import CellImages, Pictures
from training.data.view import view_slice
from training.errors import TrainingError
from training.export.calibrate import Calibration
from training.export.version import TRAINABLE, load_trainable
from training.fingerprint import code_fingerprint
from training.fitting.loop import WEIGHTS_FILE, fit
from training.model.classifier import backbone_of


@dataclass(frozen=True)
class Joined:
    """Pictures of several sources as one, each row as often as wanted.

    Attributes:
        parts: pictures uint8 [Nᵢ,S,S,3].
        part, row: int64 [M], which part each picture is in and its row there.
    """

    parts: Sequence[Pictures]
    part: NDArray[np.int64]
    row: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.row), *self.parts[0].shape[1:])

    def __getitem__(self, rows: NDArray[np.int64], /) -> NDArray[np.uint8]:
        return np.stack([self.parts[self.part[row]][self.row[row]] for row in rows])


def learn_on(
    experiment: Experiment, base: Path, images: CellImages, pictures: Pictures, runs: Path
) -> keras.Model:
    """The classifier of version `base`, trained further on `images`.

    The run is named for what it starts from and learns from, so that only the same work is gone on with.

    Raises:
        TrainingError: the version cannot be trained further, a stage of the experiment is not at its input
            size, or as train.
    """
    size = ModelInfo.load(base).input_size
    if {stage.size for stage in experiment.stages} != {size}:
        raise TrainingError(f"{experiment.name}: every stage must be at {size} px.")
    start = load_trainable(base)
    made_of = hashlib.sha256((base / TRAINABLE).read_bytes())
    made_of.update(" ".join([images.fingerprint, *images.splits]).encode())
    named = replace(experiment, name=f"{experiment.name}-{made_of.hexdigest()[:12]}")
    run = fit(named, images, {size: pictures}, runs, start=start)
    return cast(keras.Model, keras.saving.load_model(run / WEIGHTS_FILE, compile=False))


def made_from(
    base: ModelInfo, target: Path, calibration: Calibration, *, data: str, metrics: Mapping[str, Any]
) -> ModelInfo:
    """What `target`, a version made from `base` just now, says about itself.

    Args:
        base: of the version it was made from.
        target: its folder, `<name>/<version>`.
        calibration: its own.
        data: fingerprint of the images it learned from.
        metrics: what was measured of it.
    """
    return replace(
        base,
        name=target.parent.name,
        version=int(target.name),
        temperature=calibration.temperature,
        review_threshold=calibration.review_threshold,
        metrics=metrics,
        fingerprints={"data": data, "code": code_fingerprint()},
        trained_at=datetime.now(UTC).replace(microsecond=0),
        base={"name": base.name, "version": base.version},
    )


def reestimate_batch_norm(model: keras.Model, pictures: Pictures, *, passes: int = 5) -> None:
    """Give the batch norms of `model` the statistics of unlabelled `pictures` (AdaBN; Li et al. 2016)."""
    norms = [
        layer for layer in backbone_of(model).layers if isinstance(layer, keras.layers.BatchNormalization)
    ]
    usual = [(norm.trainable, norm.momentum) for norm in norms]
    for norm in norms:
        norm.trainable, norm.momentum = True, 0.9
    view = view_slice(pictures.shape[1])
    random = np.random.default_rng(0)
    count = pictures.shape[0]
    for _ in range(passes):
        for rows in np.array_split(random.permutation(count), max(1, count // 32)):
            model(pictures[rows][:, view, view].astype(np.float32), training=True)
    for norm, (trainable, momentum) in zip(norms, usual, strict=True):
        norm.trainable, norm.momentum = trainable, momentum


def together(
    sources: Sequence[CellImages], pictures: Sequence[Pictures], times: Sequence[int]
) -> tuple[CellImages, Joined]:
    """Several sources as one; the images that the i-th source learns from come times[i] times."""
    rows = [
        np.concatenate(
            [
                np.repeat(np.flatnonzero(source.splits == "train"), count),
                np.flatnonzero(source.splits != "train"),
            ]
        )
        for source, count in zip(sources, times, strict=True)
    ]
    chosen = list(zip(sources, rows, strict=True))
    # Numbers of cells are those of one source.
    offsets = np.cumsum([0, *(source.cells.max() + 1 for source in sources[:-1])])
    joined = replace(
        sources[0],
        files=tuple(
            str((source.root / source.files[row]).resolve()) for source, own in chosen for row in own
        ),
        labels=np.concatenate([source.labels[own] for source, own in chosen]),
        splits=np.concatenate([source.splits[own] for source, own in chosen]),
        fingerprint="+".join(
            f"{source.fingerprint}×{count}" for source, count in zip(sources, times, strict=True)
        ),
        cells=np.concatenate(
            [source.cells[own] + offset for (source, own), offset in zip(chosen, offsets, strict=True)]
        ),
    )
    part = np.concatenate([np.full(len(own), place) for place, own in enumerate(rows)])
    return joined, Joined(pictures, part, np.concatenate(rows))
