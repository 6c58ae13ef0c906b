"""What a version is and what it is worth, as far as its `model.json` says; it may be of an earlier format."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webapp.registry.models import ModelVersion


@dataclass(frozen=True)
class Evaluation:
    """How a version does on one set of images: shares of 0 to 1, None where the version's makers did not say.

    Attributes:
        name: of the set.
        images: how many it has.
        accuracy: share of right suggestions, were none withheld.
        interval: the accuracy's 95 % confidence interval.
        coverage: share of cells that are given a class rather than left Unidentified.
        unflagged_accuracy: share of those that is right.
        mistakes_flagged: share of the wrong suggestions that is left Unidentified.
    """

    name: str
    images: int | None
    accuracy: float
    interval: tuple[float, float] | None
    coverage: float | None
    unflagged_accuracy: float | None
    mistakes_flagged: float | None


@dataclass(frozen=True)
class Origin:
    """Where a version comes from; empty or None where it does not say."""

    trained_at: datetime | None
    backbone: str
    base: str
    licence: str


def origin_of(version: ModelVersion) -> Origin:
    info, base = version.info, version.info.get("base")
    return Origin(
        trained_at=datetime.fromisoformat(info["trained_at"]) if "trained_at" in info else None,
        backbone=info.get("backbone", ""),
        base=f"{base['name']} {base['version']}" if base else "",
        licence=info.get("licence", ""),
    )


def evaluations_of(version: ModelVersion) -> list[Evaluation]:
    """How the version does by set of images, in the order in which they were written down."""
    return [
        _evaluation(name, metrics)
        for name, metrics in version.info.get("metrics", {}).items()
        if isinstance(metrics, Mapping) and _share(metrics.get("accuracy")) is not None
    ]


def _evaluation(name: str, metrics: Mapping[str, Any]) -> Evaluation:
    images, intervals = metrics.get("images"), metrics.get("intervals")
    interval = intervals.get("accuracy") if isinstance(intervals, Mapping) else None
    return Evaluation(
        name=name.replace("_", " "),
        images=images if isinstance(images, int) else None,
        accuracy=float(metrics["accuracy"]),
        interval=_interval(interval),
        coverage=_share(metrics.get("coverage")),
        unflagged_accuracy=_share(metrics.get("unflagged_accuracy")),
        mistakes_flagged=_share(metrics.get("mistakes_flagged")),
    )


def _interval(value: object) -> tuple[float, float] | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    low, high = map(_share, value)
    return None if low is None or high is None else (low, high)


def _share(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
