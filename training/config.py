"""An experiment: all that decides the outcome of a run, in one YAML file, checked before any work starts."""

import types
import typing
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import yaml

from training.errors import TrainingError


@dataclass(frozen=True)
class Data:
    root: Path  # images and labels.csv, or one folder per class; relative to the working directory


@dataclass(frozen=True)
class Backbone:
    name: str  # a key of training.backbones.BACKBONES
    weights: str | None = None  # imagenet, package, or a file; see training.backbones


@dataclass(frozen=True)
class Normalisation:
    """What training.normalise makes of a picture: see SlideNormalisation."""

    density: tuple[float, ...]  # of nuclei in R, G and B after it
    per_channel: float


@dataclass(frozen=True)
class Stage:
    size: int  # side of the square pictures, pixels, of which the network sees the central view
    epochs: int
    batch: int
    unfrozen: float = 1.0  # share of the backbone's layers, from its top, that learn; 0: the head alone
    batch_norm: bool = True  # batch norms among them learn too; otherwise they keep what they have learnt


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
    patience: int | None = None  # epochs of the last stage without a better validation accuracy, then stop


@dataclass(frozen=True)
class Augmentation:
    """Strengths of training.augment; 0 switches a part off."""

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

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for run.json."""
        return typing.cast(dict[str, Any], _plain(asdict(self)))


def load_experiment(path: Path) -> Experiment:
    """Read and check an experiment file.

    Raises:
        TrainingError: the file is missing, is not YAML, or has a missing, unknown or ill-typed setting.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TrainingError(f"Cannot read the experiment file {path}: {error.strerror}.") from error
    except yaml.YAMLError as error:
        raise TrainingError(f"{path} is not valid YAML: {error}") from error
    experiment = typing.cast(Experiment, _build(Experiment, raw, str(path)))
    if not experiment.stages:
        raise TrainingError(f"{path}: stages is empty; give at least one {{size, epochs, batch}}.")
    for stage in experiment.stages:
        if min(stage.size, stage.epochs, stage.batch) < 1:
            raise TrainingError(f"{path}: size, epochs and batch of a stage must be at least 1, not {stage}.")
    return experiment


def _build(kind: Any, value: Any, where: str) -> Any:
    """Value as `kind` (dataclass, tuple[X, ...], X | None or scalar); `where` names the setting in errors."""
    if is_dataclass(kind):
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
    if isinstance(kind, types.UnionType):
        inner = next(option for option in typing.get_args(kind) if option is not types.NoneType)
        return None if value is None else _build(inner, value, where)
    if kind is Path and isinstance(value, str):
        return Path(value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise TrainingError(f"{where}: expected {kind.__name__}, found {value!r}.")
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
