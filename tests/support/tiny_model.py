"""A whole model version made in a millisecond: tiny_model*.tflite with a model.json that fits it."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.demo.cells import DRAWN
from serving.contract import (
    DISTANCE,
    EMBEDDING,
    EVIDENCE,
    MODEL_FILE,
    MODEL_NAME,
    PROBABILITIES,
    SAVED_MODEL_FILE,
    ModelInfo,
)

TINY_GRIDS = {224: 7, 160: 5}
"""The input sizes that there is a tiny model of, the usual one first, and how many squares to a side its
evidence has."""

TINY_SIZE, OTHER_SIZE = TINY_GRIDS
TINY_SHAPE = (TINY_SIZE, TINY_SIZE, 3)

CORNER_COLOURS = tuple((255 * (k >> 2 & 1), 255 * (k >> 1 & 1), 255 * (k & 1)) for k in range(8))
"""RGB of a plain image that the tiny model gives to class k (see build_tiny_model)."""

TINY_LABELS = DRAWN[: len(CORNER_COLOURS)]
"""The classes that it knows: as many as a cube has corners, of those that can be drawn, in order."""


def tiny_file(size: int) -> Path:
    return Path(__file__).with_name(f"tiny_model_{size}.tflite")


def tiny_outputs(size: int = TINY_SIZE) -> dict[str, tuple[int, ...]]:
    """What model.json says of them."""
    grid, classes = TINY_GRIDS[size], len(TINY_LABELS)
    return {
        PROBABILITIES: (classes,),
        EVIDENCE: (grid, grid, classes),
        EMBEDDING: (3,),
        DISTANCE: (),
    }


def make_version(base: Path, version: int = 1, /, **changes: Any) -> Path:
    """Make ``base/<version>/`` and return it; `changes` replace fields of its ModelInfo.

    `input_size` chooses the graph too.
    The folder appears complete: it is written beside its place and then renamed. Its SavedModel is a
    stand-in, which nothing here reads.
    """
    size = changes.get("input_size", TINY_SIZE)
    values: dict[str, Any] = {
        "name": MODEL_NAME,
        "version": version,
        "labels": TINY_LABELS,
        "input_size": size,
        "outputs": tiny_outputs(size),
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
    shutil.copyfile(tiny_file(size), unfinished / MODEL_FILE)
    (unfinished / SAVED_MODEL_FILE).write_text("a stand-in")
    ModelInfo(**{**values, **changes}).save(unfinished)
    return unfinished.rename(folder)
