"""A small world for training tests: drawn cells of every class, and a network that learns them in seconds."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Before NumPy and TensorFlow are first imported: networks this small only lose by more threads, whose waiting
# takes processor time from whatever runs beside.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from serving.contract import CELL_LABELS
from tests.training.drawn import NO_AUGMENTATION, draw_cell
from training.config import Backbone, Data, Experiment, Normalisation, Optimiser, Stage


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
def trained(experiment: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an unbroken run of the experiment; to be read, or copied."""
    from training.fitting.loop import train  # not before it is needed: it imports TensorFlow

    return train(experiment, tmp_path_factory.mktemp("trained"))


def command(*arguments: object) -> str:
    """What the command line prints."""
    from training.__main__ import app

    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@dataclass(frozen=True)
class Commanded:
    """What `train` and `export` made of an experiment file, and printed last."""

    runs: Path
    version: Path
    trained: str
    exported: str


@pytest.fixture(scope="session")
def commanded(experiment: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Commanded:
    """Version 1 of the base model by the command line: trained long enough to know its cells."""
    folder = tmp_path_factory.mktemp("base")
    longer = replace(experiment, name="drawn", stages=(Stage(size=64, epochs=12, batch=8),))
    written, runs, version = folder / "drawn.yaml", folder / "runs", folder / "models" / "hematovision" / "1"
    written.write_text(yaml.safe_dump(longer.as_dict()))
    return Commanded(
        runs=runs,
        version=version,
        trained=command("train", written, "--runs", runs).split()[-1],
        exported=command("export", runs / "drawn", version).split()[-1],
    )


@pytest.fixture(scope="session")
def base(commanded: Commanded) -> Path:
    """The folder of version 1 of the base model; to be read, or copied."""
    return commanded.version
