"""A version beside simpler models: one row for each, scored on the same images."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from serving.contract import ModelInfo
from training.errors import TrainingError
from training.evaluation.evaluate import Evaluation, SetEvaluation
from training.evaluation.intervals import Estimate


@dataclass(frozen=True)
class SetScores:
    """What a model does on one set of images: see training.evaluation.scores."""

    accuracy: Estimate
    accuracy_among_present: Estimate
    macro_f1: Estimate


@dataclass(frozen=True)
class Compared:
    """A model, in words, and its scores by the sets' names."""

    name: str
    about: str
    scores: Mapping[str, SetScores]


@dataclass(frozen=True)
class Baselines:
    """The simpler models, and the fingerprints of the sets that they were scored on, by name."""

    fingerprints: Mapping[str, str]
    models: tuple[Compared, ...]

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Baselines":
        """Read what `save` wrote.

        Raises:
            TrainingError: there is no such file, or it holds something else.
        """
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            return cls(document["fingerprints"], tuple(_compared(model) for model in document["models"]))
        except OSError as error:
            raise TrainingError(
                f"Cannot read {path}: {error.strerror}. `python -m training baselines` makes it."
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise TrainingError(
                f"{path} holds no baselines ({error!r}). `python -m training baselines` makes it."
            ) from error


def identity(info: ModelInfo) -> dict[str, str]:
    """What tells a version from all others, those that had its number before included."""
    return {"version": f"{info.name} {info.version}", "trained_at": info.trained_at.isoformat()}


def compare(evaluation: Evaluation, baselines: Baselines) -> tuple[Compared, ...]:
    """The baselines, and last the version itself.

    Raises:
        TrainingError: a set of the evaluation has other images than the baselines were scored on.
    """
    for one in evaluation.sets:
        if baselines.fingerprints.get(one.name, one.fingerprint) != one.fingerprint:
            raise TrainingError(
                f"The baselines were scored on other images than {one.name} has now. "
                "Run `python -m training baselines` again."
            )
    itself = Compared(
        name=f"{evaluation.info.name} {evaluation.info.version}",
        about=f"{evaluation.info.backbone}, fine-tuned: the version of this report",
        scores={one.name: _scores_of(one) for one in evaluation.sets},
    )
    return (*baselines.models, itself)


def _scores_of(evaluated: SetEvaluation) -> SetScores:
    scores = evaluated.scores
    return SetScores(scores.accuracy, scores.accuracy_among_present, scores.macro_f1)


def _compared(document: dict[str, Any]) -> Compared:
    scores = {
        name: SetScores(**{score: Estimate(**values) for score, values in estimates.items()})
        for name, estimates in document["scores"].items()
    }
    return Compared(document["name"], document["about"], scores)
