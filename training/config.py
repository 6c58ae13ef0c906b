"""An experiment: all that decides the outcome of a run, in one YAML file, checked before any work starts."""

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from training.errors import TrainingError

FULL_SIZE = 224
"""Side of a picture, in pixels, that strengths in pixels are meant for, and that the smaller pictures of a
stage are made from. A version takes pictures of this size unless its experiment says otherwise."""


@dataclass(frozen=True)
class Data:
    root: Path  # images and labels.csv, or one folder per class; relative to the working directory


@dataclass(frozen=True)
class Backbone:
    name: str  # a key of training.model.backbones.BACKBONES
    weights: str | None = None  # imagenet, package, or a file; see training.model.backbones


@dataclass(frozen=True)
class Normalisation:
    """What training.model.normalise makes of a picture: see SlideNormalisation."""

    density: tuple[float, ...]  # of nuclei in R, G and B after it
    per_channel: float


@dataclass(frozen=True)
class Stage:
    size: int  # side of the square pictures, pixels, of which the network sees the central view
    epochs: int
    batch: int
    unfrozen: float = 1.0  # share of the backbone's layers, from its top, that learn; 0: the head alone
    batch_norm: bool = True  # batch norms among them learn too; otherwise they keep what they have learnt
    learning_rate: float | None = None  # the schedule begins again with this stage, from this peak
    variation: float = 1.0  # share of the augmentation's strengths


@dataclass(frozen=True)
class Optimiser:
    learning_rate: float  # peak of a linear warm-up followed by a cosine decay to zero over all stages
    warmup_steps: int
    weight_decay: float
    ema_decay: float  # of the averaged weights, which are the ones validated and exported
    label_smoothing: float
    dropout: float
    class_weight_power: float  # class weight = frequency ** -power, mean 1; 0 weighs every image alike
    evidence_outside: float = 0.0  # price of the share of evidence that lies outside the cell
    stages_averaged: int = 1  # the last so many, whose best weights are averaged in the end
    patience: int | None = None  # epochs of the last stage without a better validation accuracy, then stop


@dataclass(frozen=True)
class Augmentation:
    """Strengths of training.fitting.augment; 0 switches a part off."""

    scale: float  # zoom is drawn from [1/(1+scale), 1+scale]
    shift: float  # fraction of the image side
    stretch: float  # anisotropy: one axis against the other
    stain: float  # haematoxylin and eosin amounts (HED jitter)
    colour: float  # white balance, saturation, hue
    exposure: float  # brightness, contrast and veil
    shading: float  # uneven illumination
    fringe: float  # colour channels shifted apart, pixels at full size
    blur: float  # share of images blurred or given hard rims
    resample: float  # share of batches shrunk and enlarged again
    jpeg: float  # share of images recompressed
    noise: float  # standard deviation bound, in grey levels


@dataclass(frozen=True)
class Experiment:
    name: str
    seed: int
    licence: str  # of weights and images, for model.json
    data: Data
    backbone: Backbone
    normalisation: Normalisation | None
    stages: tuple[Stage, ...]
    optimiser: Optimiser
    augmentation: Augmentation
    input_size: int = FULL_SIZE  # side of the pictures that the exported version takes, pixels

    def shortened(self, stages: tuple[Stage, ...]) -> "Experiment":
        """The experiment on other stages, of which the last alone counts."""
        return replace(self, stages=stages, optimiser=replace(self.optimiser, stages_averaged=1))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for run.json."""
        return typing.cast(dict[str, Any], _plain(asdict(self)))


@dataclass(frozen=True)
class Range:
    """What a setting is searched among: the numbers from low to high, or choices."""

    low: float | None = None
    high: float | None = None
    log: bool = False  # evenly in their logarithm
    choices: tuple[Any, ...] = ()

    def __contains__(self, value: Any) -> bool:
        if self.low is None or self.high is None:
            return value in self.choices
        return isinstance(value, int | float) and self.low <= value <= self.high


@dataclass(frozen=True)
class Search:
    """The section `search` of an experiment file: see training.studies.search."""

    epochs: int  # to spend on all trials together
    stages: tuple[Stage, ...]  # what each trial trains, in place of the experiment's
    space: dict[str, Range]  # by dotted name, such as optimiser.dropout


def load_experiment(path: Path) -> Experiment:
    """Read and check an experiment file.

    Raises:
        TrainingError: the file is missing or not YAML, or a setting missing, unknown, ill-typed or senseless.
    """
    return _experiment({name: value for name, value in _read(path).items() if name != "search"}, str(path))


def load_search(path: Path) -> Search:
    """Read and check the section `search` of an experiment file.

    Raises:
        TrainingError: as load_experiment; there is no such section, or it names no setting of the experiment.
    """
    document = _read(path)
    where = f"{path}: search"
    if "search" not in document:
        raise TrainingError(f"{path} has no section search. Give it one with epochs, stages and space.")
    search = typing.cast(Search, _build(Search, document["search"], where))
    _check_stages(search.stages, where)
    if search.epochs < 1:
        raise TrainingError(f"{where}: epochs must be at least 1.")
    if not search.space:
        raise TrainingError(f"{where}: space is empty; name a setting, such as optimiser.learning_rate.")
    experiment = load_experiment(path)
    for name, span in search.space.items():
        numbers = span.low is not None and span.high is not None and span.low < span.high
        if numbers == bool(span.choices) or (span.log and (span.low or 0) <= 0):
            raise TrainingError(
                f"{where}: space: {name}: give low and a higher high (above 0 where log is true), or choices."
            )
        own = value_of(experiment, name)
        if own not in span:
            raise TrainingError(f"{where}: space: {name} leaves out the experiment's own {own!r}.")
        for value in span.choices or (type(own)(span.low), type(own)(span.high)):
            with_settings(experiment, {name: value})
    return search


def value_of(experiment: Experiment, name: str) -> Any:
    """The setting with a dotted name, such as optimiser.dropout.

    Raises:
        TrainingError: there is none.
    """
    value: Any = experiment
    for part in name.split("."):
        value = getattr(value, part, MISSING) if is_dataclass(value) else MISSING
    if value is MISSING or is_dataclass(value):
        raise TrainingError(f"The experiment {experiment.name} has no setting {name!r}.")
    return value


def with_settings(experiment: Experiment, settings: Mapping[str, Any]) -> Experiment:
    """The experiment with other values for some settings, by dotted name.

    Raises:
        TrainingError: a value is of the wrong type or makes no sense.
    """
    document = experiment.as_dict()
    for name, value in settings.items():
        *parents, last = name.split(".")
        section = document
        for parent in parents:
            section = section[parent]
        section[last] = value
    return _experiment(document, experiment.name)


def _read(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TrainingError(f"Cannot read the experiment file {path}: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path} is not valid YAML: {error}") from error
    if not isinstance(document, dict):
        raise TrainingError(f"{path}: expected settings by name, found {document!r}.")
    return document


def _experiment(document: dict[str, Any], where: str) -> Experiment:
    experiment = typing.cast(Experiment, _build(Experiment, document, where))
    _check_stages(experiment.stages, where)
    optimiser = experiment.optimiser
    count = len(experiment.stages)
    rules = {
        f"stages_averaged must be from 1 to the {count} stages there are": (
            1 <= optimiser.stages_averaged <= count
        ),
        "learning_rate must be above 0": optimiser.learning_rate > 0,
        "ema_decay must be at least 0 and below 1": 0 <= optimiser.ema_decay < 1,
        "label_smoothing must be at least 0 and below 1": 0 <= optimiser.label_smoothing < 1,
        "dropout must be at least 0 and below 1": 0 <= optimiser.dropout < 1,
        "patience must be at least 1": optimiser.patience is None or optimiser.patience >= 1,
    }
    if broken := [rule for rule, kept in rules.items() if not kept]:
        raise TrainingError(f"{where}: optimiser: {broken[0]}.")
    return experiment


def _check_stages(stages: tuple[Stage, ...], where: str) -> None:
    if not stages:
        raise TrainingError(f"{where}: stages is empty; give at least one {{size, epochs, batch}}.")
    for stage in stages:
        if min(stage.size, stage.epochs, stage.batch) < 1:
            raise TrainingError(
                f"{where}: size, epochs and batch of a stage must be at least 1, not {stage}."
            )
        if not 0 <= stage.unfrozen <= 1:
            raise TrainingError(f"{where}: unfrozen of a stage must be from 0 to 1, not {stage.unfrozen}.")
        if not 0 <= stage.variation <= 1:
            raise TrainingError(f"{where}: variation of a stage must be from 0 to 1, not {stage.variation}.")


def _build(kind: Any, value: Any, where: str) -> Any:
    """Value as `kind`: dataclass, tuple[X, ...], dict[str, X], X | None, scalar or Any.

    `where` names the setting in errors.
    """
    if isinstance(kind, type) and is_dataclass(kind):
        if not isinstance(value, dict):
            raise TrainingError(f"{where}: expected settings by name, found {value!r}.")
        hints = typing.get_type_hints(kind)
        known = {field.name: field for field in fields(kind)}
        if unknown := sorted(set(value) - set(known)):
            raise TrainingError(f"{where}: unknown setting {unknown[0]!r}; known are {', '.join(known)}.")
        required = {name for name, field in known.items() if field.default is MISSING}
        if missing := sorted(required - set(value)):
            raise TrainingError(f"{where}: setting {missing[0]!r} is missing.")
        return kind(**{name: _build(hints[name], item, f"{where}: {name}") for name, item in value.items()})
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise TrainingError(f"{where}: expected a list, found {value!r}.")
        return tuple(_build(typing.get_args(kind)[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if typing.get_origin(kind) is dict:
        if not isinstance(value, dict):
            raise TrainingError(f"{where}: expected settings by name, found {value!r}.")
        return {
            name: _build(typing.get_args(kind)[1], item, f"{where}: {name}") for name, item in value.items()
        }
    if isinstance(kind, types.UnionType):
        inner = next(option for option in typing.get_args(kind) if option is not types.NoneType)
        return None if value is None else _build(inner, value, where)
    if kind is Path and isinstance(value, str):
        return Path(value)
    if kind is float and type(value) is int:
        return float(value)
    if kind is not Any and type(value) is not kind:
        raise TrainingError(f"{where}: expected {kind.__name__}, found {value!r}.")
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
