"""A small world for training tests: drawn cells of every class, and a network that learns them in seconds."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pytest
from PIL import Image, ImageDraw

from serving.contract import CELL_LABELS
from training.config import Augmentation, Backbone, Data, Experiment, Normalisation, Optimiser, Stage

NO_AUGMENTATION = Augmentation(
    scale=0,
    shift=0,
    stretch=0,
    stain=0,
    colour=0,
    exposure=0,
    shading=0,
    fringe=0,
    blur=0,
    resample=0,
    jpeg=0,
    noise=0,
)


def draw_cell(label: int, random: np.random.Generator) -> Image.Image:
    """A disc on a pale field, in one of the eight corners of the colour cube: the class."""
    image = Image.new("RGB", (96, 96), (150, 140, 130))
    radius = random.uniform(25, 35)
    x, y = 48 + random.uniform(-6, 6, 2)
    colour = tuple(int(220 * (label >> bit & 1) + random.integers(30)) for bit in range(3))
    ImageDraw.Draw(image).ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return image


@pytest.fixture(scope="session")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty drawn cells of each class, one folder per class."""
    root, random = tmp_path_factory.mktemp("data") / "drawn", np.random.default_rng(0)
    for label, name in enumerate(CELL_LABELS):
        (root / name).mkdir(parents=True)
        for index in range(20):
            draw_cell(label, random).save(root / name / f"{index:02}.png")
    return root


@pytest.fixture(scope="session")
def experiment(cells: Path) -> Experiment:
    """Two short stages of the small network."""
    return Experiment(
        name="small",
        seed=11,
        licence="drawn",
        data=Data(root=cells),
        backbone=Backbone(name="small_cnn"),
        normalisation=Normalisation(density=(1.1, 1.7, 0.42), per_channel=0.5),
        stages=(Stage(size=32, epochs=1, batch=16), Stage(size=48, epochs=1, batch=16)),
        optimiser=Optimiser(
            learning_rate=3e-3,
            warmup_steps=5,
            weight_decay=0.01,
            ema_decay=0.9,
            label_smoothing=0.05,
            dropout=0.1,
            class_weight_power=0.3,
        ),
        augmentation=replace(NO_AUGMENTATION, scale=0.05, shift=0.05, noise=3.0, jpeg=0.2),
    )


@pytest.fixture
def varied(experiment: Experiment) -> Callable[..., Experiment]:
    """The experiment with some settings changed."""
    return lambda **changes: replace(experiment, **changes)


@pytest.fixture(scope="session")
def base(experiment: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 1 of the base model: the experiment trained long enough to know its cells."""
    # Not before they are needed: these import TensorFlow.
    from training.export.export import export
    from training.fitting.loop import train

    folder = tmp_path_factory.mktemp("base")
    target = folder / "models" / "hematovision" / "1"
    export(train(replace(experiment, stages=(Stage(size=64, epochs=12, batch=8),)), folder / "runs"), target)
    return target
