"""A whole model version made in a millisecond: tiny_model.tflite with a model.json that fits it."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from serving.contract import (
    CELL_LABELS,
    INPUT_SIZE,
    MODEL_FILE,
    MODEL_NAME,
    SAVED_MODEL_FILE,
    ModelInfo,
)

TINY_MODEL = Path(__file__).with_name("tiny_model.tflite")

CORNER_COLOURS = tuple((255 * (k >> 2 & 1), 255 * (k >> 1 & 1), 255 * (k & 1)) for k in range(8))
"""RGB of a plain image that the tiny model gives to class k (see build_tiny_model)."""

TINY_LABELS = CELL_LABELS[: len(CORNER_COLOURS)]
"""The classes that it knows: as many as a cube has corners, however many a model may name."""


def make_version(base: Path, version: int = 1, /, **changes: Any) -> Path:
    """Make ``base/<version>/`` and return it; `changes` replace fields of its ModelInfo.

    The folder appears complete: it is written beside its place and then renamed. Its SavedModel is a
    stand-in, which nothing here reads.
    """
    values: dict[str, Any] = {
        "name": MODEL_NAME,
        "version": version,
        "labels": TINY_LABELS,
        "input_size": INPUT_SIZE,
        "temperature": 1.0,
        "review_threshold": 0.5,
        "metrics": {"test": {"accuracy": 1.0}},
        "fingerprints": {"data": "none", "code": "tests/support/build_tiny_model.py"},
        "backbone": "nearest corner of the RGB cube",
        "trained_at": datetime(2026, 1, 31, 12, tzinfo=UTC),
        "licence": "none needed",
    }
    folder = base / str(version)
    unfinished = base / f".{version}.unfinished"
    unfinished.mkdir(parents=True)
    shutil.copyfile(TINY_MODEL, unfinished / MODEL_FILE)
    (unfinished / SAVED_MODEL_FILE).write_text("a stand-in")
    ModelInfo(**{**values, **changes}).save(unfinished)
    return unfinished.rename(folder)
