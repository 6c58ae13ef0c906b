"""A model version on disk.

A version is a folder ``<name>/<version>/`` that both kinds of server load::

    saved_model.pb, variables/   TensorFlow SavedModel, for tensorflow/serving
    model.tflite                 the same function, for the embedded server
    model.json                   what the version is: the keys of `ModelInfo`, and ``format``
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self, TypedDict

import numpy as np
import numpy.typing as npt

from serving.contract.classes import CELL_LABELS
from serving.contract.review import is_unlike, is_unsure
from serving.contract.signature import (
    CELLS,
    EVIDENCE,
    LARGEST_INPUT_SIZE,
    LEAST_INPUT_SIZE,
    OUTPUTS,
    PROBABILITIES,
)

MODEL_JSON: Final = "model.json"
MODEL_FILE: Final = "model.tflite"
SAVED_MODEL_FILE: Final = "saved_model.pb"
FORMAT: Final = 3

# A model's name is also that of its folder, and part of URLs and configurations.
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")


class ModelFolderError(ValueError):
    """A model version folder cannot be used; the message says what is wrong in it."""


class BaseVersion(TypedDict):
    """The version from which another was made."""

    name: str
    version: int


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """What ``model.json`` says about one version. Contradictory values raise ModelFolderError."""

    name: str
    """Under which servers know the model: the base model's, or that of one lab's own beside it."""
    version: int
    """Positive, and the name of the folder."""
    kind: str = CELLS
    """What it is shown and what it answers: one of OUTPUTS."""
    labels: tuple[str, ...]
    """K distinct names out of CELL_LABELS, in the order of the last axis of `probabilities`."""
    input_size: int
    """Side of the square input, in pixels."""
    outputs: Mapping[str, tuple[int, ...]]
    """The shape of each output for one image; their names are those of the kind."""
    temperature: float
    """The logits were divided by this before the softmax (Guo et al. 2017); already part of the graph."""
    review_threshold: float
    """A cell whose highest probability is below this (0 to 1) must be looked at by a person."""
    metrics: Mapping[str, Any]
    """Scores on the held-out test images, as the training run reported them."""
    fingerprints: Mapping[str, str]
    """``data`` and ``code``: digests that tell which images and which program made the version."""
    backbone: str
    trained_at: datetime
    """In UTC."""
    licence: str
    """Where weights and images came from and what their licences ask for."""
    base: BaseVersion | None = None
    """The version that was fine-tuned or commissioned into this one; None where training began afresh."""

    def __post_init__(self) -> None:
        _require(
            _NAME.fullmatch(self.name) is not None,
            f"name must be 1 to 100 of a-z, 0-9, - and _, the first no sign, not {self.name!r}",
        )
        _require(self.version >= 1, f"version must be 1 or more, not {self.version}")
        _require(len(self.labels) >= 2, "labels must name at least two classes")
        _require(len(set(self.labels)) == len(self.labels), "labels must not name a class twice")
        unknown = sorted(set(self.labels) - set(CELL_LABELS))
        _require(not unknown, f"labels has {', '.join(unknown)}; known classes are {', '.join(CELL_LABELS)}")
        _require(
            LEAST_INPUT_SIZE <= self.input_size <= LARGEST_INPUT_SIZE,
            f"input_size must be {LEAST_INPUT_SIZE} to {LARGEST_INPUT_SIZE}, not {self.input_size}",
        )
        self._check_outputs()
        _require(
            math.isfinite(self.temperature) and self.temperature > 0,
            f"temperature must be above 0, not {self.temperature}",
        )
        _require(
            0 <= self.review_threshold <= 1, f"review_threshold must be 0 to 1, not {self.review_threshold}"
        )
        for key in ("data", "code"):
            value = self.fingerprints.get(key)
            _require(isinstance(value, str) and value != "", f"fingerprints must have a text for {key!r}")
        _require(
            self.trained_at.utcoffset() == timedelta(0),
            "trained_at must be a time in UTC, such as 2026-01-31T12:00:00+00:00",
        )

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Of one image: rows, columns, RGB."""
        return self.input_size, self.input_size, 3

    def _check_outputs(self) -> None:
        kinds = ", ".join(OUTPUTS)
        _require(self.kind in OUTPUTS, f"kind is {self.kind!r}; this release serves models of {kinds}")
        wanted = OUTPUTS[self.kind]
        _require(
            self.outputs.keys() == wanted.keys(),
            f"outputs are {sorted(self.outputs)}; a model of {self.kind} has {sorted(wanted)}",
        )
        for name, axes in wanted.items():
            shape = self.outputs[name]
            _require(
                len(shape) == axes and all(length >= 1 for length in shape),
                f"outputs.{name} is {list(shape)}; it must have {axes} axes, each of 1 or more",
            )
        for name in (PROBABILITIES, EVIDENCE):
            classes = self.outputs[name][-1]
            _require(
                classes == len(self.labels),
                f"outputs.{name} has {classes} classes but labels has {len(self.labels)}",
            )

    def flags(
        self, probabilities: npt.NDArray[np.floating[Any]], distance: npt.NDArray[np.floating[Any]]
    ) -> npt.NDArray[np.bool_]:
        """Which cells a person must look at: bool [N], from `probabilities` [N, K] and `distance` [N].

        Those whose highest probability is below the review threshold, and those unlike the training cells.
        """
        return is_unsure(probabilities.max(axis=1), self.review_threshold) | is_unlike(distance)

    @classmethod
    def from_document(cls, document: object) -> Self:
        """Check what ``model.json`` holds. Keys this release does not know are ignored.

        Raises ModelFolderError when a key is missing or not what it should be.
        """
        return cls(**_checked_values(document))

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Read and check ``model.json`` of a version folder.

        Raises ModelFolderError when the file is missing, is not what it should be, or names another version
        than the folder.
        """
        return cls.read(Path(folder), read_file(Path(folder), MODEL_JSON))

    @classmethod
    def read(cls, folder: Path, content: bytes) -> Self:
        """Check the content of ``model.json`` in `folder`. Raises as `load` does."""
        path = folder / MODEL_JSON
        try:
            document = json.loads(content.decode())
        except ValueError as error:
            raise ModelFolderError(f"{path} is not JSON: {error}") from error
        try:
            info = cls.from_document(document)
            if folder.name.isdecimal():
                _require(
                    info.version == int(folder.name),
                    f"version is {info.version} but the folder is named {folder.name}",
                )
        except ModelFolderError as error:
            raise ModelFolderError(f"{path}: {error}") from None
        return info

    def save(self, folder: Path | str) -> None:
        """Write ``model.json`` into an existing version folder."""
        document = {"format": FORMAT, **asdict(self), "trained_at": self.trained_at.isoformat()}
        text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
        (Path(folder) / MODEL_JSON).write_text(text + "\n", encoding="utf-8")


def read_file(folder: Path, name: str) -> bytes:
    """A file of a version folder. Raises ModelFolderError when it cannot be read."""
    try:
        return (folder / name).read_bytes()
    except FileNotFoundError:
        raise ModelFolderError(f"{folder} has no {name}; it is not a model version folder") from None
    except OSError as error:
        raise ModelFolderError(f"{folder / name} cannot be read: {error.strerror}") from error


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ModelFolderError(message)


def _checked_values(document: object) -> dict[str, Any]:
    """Constructor arguments of ModelInfo out of a JSON document, each of the right type."""
    if not isinstance(document, dict):
        raise ModelFolderError("it must hold one JSON object")
    written = document.get("format")
    _require(written == FORMAT, f"format is {written!r}; this release reads format {FORMAT}")
    missing = [key for key in _READERS if key not in document]
    _require(not missing, f"missing: {', '.join(missing)}")
    return {key: read(key, document[key]) for key, read in _READERS.items()}


def _text(key: str, value: object) -> str:
    _require(isinstance(value, str), f"{key} must be a text, not {value!r}")
    return str(value)


def _integer(key: str, value: object) -> int:
    # bool is an int in Python, and true is no version number.
    if not isinstance(value, int) or isinstance(value, bool):
        raise ModelFolderError(f"{key} must be a whole number, not {value!r}")
    return value


def _number(key: str, value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ModelFolderError(f"{key} must be a number, not {value!r}")
    return float(value)


def _labels(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ModelFolderError(f"{key} must be a list of class names, not {value!r}")
    return tuple(_text(key, label) for label in value)


def _shapes(key: str, value: object) -> dict[str, tuple[int, ...]]:
    shapes = {}
    for name, shape in _mapping(key, value).items():
        if not isinstance(shape, list):
            raise ModelFolderError(f"{key}.{name} must be a list of whole numbers, not {shape!r}")
        shapes[name] = tuple(_integer(f"{key}.{name}", length) for length in shape)
    return shapes


def _mapping(key: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ModelFolderError(f"{key} must be an object, not {value!r}")
    return value


def _base(key: str, value: object) -> BaseVersion | None:
    if value is None:
        return None
    if not isinstance(value, dict) or value.keys() != {"name", "version"}:
        raise ModelFolderError(f"{key} must be null or an object of name and version, not {value!r}")
    return {
        "name": _text(f"{key}.name", value["name"]),
        "version": _integer(f"{key}.version", value["version"]),
    }


def _time(key: str, value: object) -> datetime:
    try:
        return datetime.fromisoformat(_text(key, value))
    except ValueError:
        raise ModelFolderError(f"{key} must be an ISO 8601 time, not {value!r}") from None


_READERS: Final[Mapping[str, Callable[[str, object], Any]]] = {
    "name": _text,
    "version": _integer,
    "kind": _text,
    "labels": _labels,
    "input_size": _integer,
    "outputs": _shapes,
    "temperature": _number,
    "review_threshold": _number,
    "metrics": _mapping,
    "fingerprints": _mapping,
    "backbone": _text,
    "trained_at": _time,
    "licence": _text,
    "base": _base,
}
