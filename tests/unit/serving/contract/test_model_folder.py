"""serving.contract.ModelInfo: what model.json may say, and how a wrong one is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.contract import CELL_LABELS, ModelFolderError, ModelInfo

OUTPUTS = {
    "probabilities": [len(CELL_LABELS)],
    "evidence": [7, 7, len(CELL_LABELS)],
    "embedding": [1280],
    "distance": [],
}
VALID: dict[str, Any] = {
    "format": 3,
    "name": "hematovision",
    "version": 3,
    "kind": "cells",
    "labels": list(CELL_LABELS),
    "input_size": 224,
    "outputs": OUTPUTS,
    "temperature": 1.25,
    "review_threshold": 0.6,
    "metrics": {"test": {"accuracy": 0.97}},
    "fingerprints": {"data": "sha256:aa", "code": "sha256:bb"},
    "backbone": "EfficientNet-Lite0",
    "trained_at": "2026-01-31T12:00:00Z",
    "licence": "weights: Apache-2.0",
    "base": None,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "hematovision" / "3"
    folder.mkdir(parents=True)
    return folder


def write(folder: Path, **changes: object) -> Path:
    document = {key: value for key, value in {**VALID, **changes}.items() if value is not ...}
    (folder / "model.json").write_text(json.dumps(document))
    return folder


def test_reads_what_was_written(folder: Path) -> None:
    info = ModelInfo.load(write(folder, a_later_key="ignored"))

    assert (info.name, info.version, info.labels) == ("hematovision", 3, CELL_LABELS)
    assert (info.kind, info.input_shape) == ("cells", (224, 224, 3))
    assert info.outputs == {name: tuple(shape) for name, shape in OUTPUTS.items()}
    assert info.trained_at.isoformat() == "2026-01-31T12:00:00+00:00"
    info.save(folder)
    assert ModelInfo.load(folder) == info


def test_a_labs_model_names_the_version_it_was_made_from(tmp_path: Path) -> None:
    folder = tmp_path / "lab-2f4c" / "1"
    folder.mkdir(parents=True)
    base = {"name": "hematovision", "version": 3}

    info = ModelInfo.load(write(folder, name="lab-2f4c", version=1, base=base))

    assert (info.name, info.base) == ("lab-2f4c", base)
    info.save(folder)
    assert ModelInfo.load(folder) == info


@pytest.mark.parametrize(
    ("confidence", "distance", "flagged"),
    [
        (0.9, 0.3, False),
        (0.6, 1.0, False),
        (np.nextafter(0.6, 0), 0.3, True),
        (0.9, np.nextafter(np.float32(1), np.float32(2)), True),
        (0.3, 5.0, True),
        (np.nan, 0.3, True),
        (0.9, np.nan, True),
    ],
)
def test_a_cell_is_flagged_below_the_threshold_beyond_the_limit_or_without_a_number(
    folder: Path, confidence: float, distance: float, flagged: bool
) -> None:
    info = ModelInfo.load(write(folder))
    probabilities = np.full((2, 8), 0.01)
    probabilities[:, 5] = 0.99, confidence

    flags = info.flags(probabilities, np.array([0.0, distance], np.float32))

    assert flags.tolist() == [False, flagged]


def test_the_threshold_is_not_rounded_to_single_precision(folder: Path) -> None:
    confidence = np.float32(0.97)
    info = ModelInfo.load(write(folder, review_threshold=float(confidence) + 1e-9))

    assert info.flags(np.array([[confidence, 0.03]], np.float32), np.zeros(1, np.float32)).tolist() == [True]


@pytest.mark.parametrize("key", [key for key in VALID if key != "format"])
def test_a_missing_key_is_named(folder: Path, key: str) -> None:
    with pytest.raises(ModelFolderError, match=f"missing: {key}"):
        ModelInfo.load(write(folder, **{key: ...}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "format is 2"),
        ({"format": ...}, "format is None"),
        ({"name": ""}, "name must be 1 to 100 of a-z"),
        ({"name": "../secret"}, "name must be 1 to 100 of a-z"),
        ({"name": "lab-" + "x" * 97}, "name must be 1 to 100 of a-z"),
        ({"name": 5}, "name must be a text"),
        ({"version": 0}, "version must be 1 or more"),
        ({"version": True}, "version must be a whole number"),
        ({"version": 4}, "version is 4 but the folder is named 3"),
        ({"labels": "neutrophil"}, "labels must be a list"),
        ({"labels": ["neutrophil"]}, "at least two"),
        ({"labels": ["neutrophil", "neutrophil"]}, "twice"),
        ({"labels": ["neutrophil", "unicorn"]}, "labels has unicorn"),
        ({"input_size": 31}, "input_size must be 32 to 512, not 31"),
        ({"input_size": 513}, "input_size must be 32 to 512, not 513"),
        ({"input_size": 224.0}, "input_size must be a whole number"),
        ({"kind": "fields"}, "kind is 'fields'; this release serves models of cells"),
        ({"kind": ["cells"]}, "kind must be a text"),
        ({"outputs": [8]}, "outputs must be an object"),
        ({"outputs": {**OUTPUTS, "heat": [1]}}, "outputs are .*heat"),
        ({"outputs": {"probabilities": [8]}}, "outputs are .*; a model of cells has"),
        ({"outputs": {**OUTPUTS, "distance": 1}}, r"outputs\.distance must be a list"),
        ({"outputs": {**OUTPUTS, "distance": [1]}}, r"outputs\.distance is \[1\]; it must have 0 axes"),
        ({"outputs": {**OUTPUTS, "embedding": [0]}}, r"outputs\.embedding is \[0\]"),
        ({"outputs": {**OUTPUTS, "embedding": ["3"]}}, r"outputs\.embedding must be a whole number"),
        (
            {"outputs": {**OUTPUTS, "evidence": [7, 7, 99]}},
            r"outputs\.evidence has 99 classes but labels",
        ),
        ({"outputs": {**OUTPUTS, "probabilities": [99]}}, r"outputs\.probabilities has 99 classes"),
        ({"temperature": 0}, "temperature must be above 0"),
        ({"temperature": float("nan")}, "temperature must be above 0"),
        ({"temperature": "1"}, "temperature must be a number"),
        ({"review_threshold": 1.5}, "review_threshold must be 0 to 1"),
        ({"metrics": []}, "metrics must be an object"),
        ({"fingerprints": {"data": "x"}}, "'code'"),
        ({"base": "hematovision"}, "base must be null or an object of name and version"),
        ({"base": {"name": "hematovision"}}, "base must be null or an object of name and version"),
        ({"base": {"name": "hematovision", "version": "1"}}, r"base\.version must be a whole number"),
        ({"trained_at": "yesterday"}, "ISO 8601"),
        ({"trained_at": "2026-01-31T12:00:00"}, "UTC"),
        ({"trained_at": "2026-01-31T12:00:00+02:00"}, "UTC"),
    ],
)
def test_a_wrong_value_is_rejected_with_the_reason(
    folder: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelFolderError, match=message) as refusal:
        ModelInfo.load(write(folder, **changes))
    assert str(folder / "model.json") in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no model.json"), (b"{", "not JSON"), (b"\xff\xfe", "not JSON"), (b"[]", "one JSON object")],
)
def test_a_missing_or_unreadable_file_is_rejected(folder: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (folder / "model.json").write_bytes(content)

    with pytest.raises(ModelFolderError, match=message):
        ModelInfo.load(folder)
