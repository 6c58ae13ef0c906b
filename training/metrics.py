"""Scores of a classifier from its probabilities. Pure functions.

Throughout: probabilities float [N,K], labels int [N] in 0..K-1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Labels = NDArray[np.integer]


def confusion_matrix(guesses: Labels, labels: Labels, classes: int) -> NDArray[np.int64]:
    """Counts [K,K]: row the true class, column the guess."""
    return np.bincount(labels * classes + guesses, minlength=classes * classes).reshape(classes, classes)


def recall_by_class(confusion: NDArray[np.int64]) -> Floats:
    """Share of each true class that was found, [K]; NaN for a class without images."""
    found, true = np.diag(confusion).astype(float), confusion.sum(axis=1)
    return np.divide(found, true, out=np.full(len(found), np.nan), where=true > 0)


def macro_f1(confusion: NDArray[np.int64]) -> float:
    """Mean F1 over the classes that have images; guesses of other classes count against the recall."""
    found, true, guessed = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    return float(np.mean((2 * found / np.maximum(true + guessed, 1))[true > 0]))


def expected_calibration_error(probabilities: Floats, labels: Labels, bins: int = 15) -> float:
    """Mean distance of confidence from accuracy over equal-width confidence bins (Guo et al., ICML 2017)."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(bin_of, weights=confidence - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


@dataclass(frozen=True)
class Coverage:
    """Of a review threshold: share of cells not flagged, of those right, and of mistakes flagged."""

    coverage: float
    accuracy: float
    mistakes_flagged: float


def coverage_at(threshold: float, probabilities: Floats, labels: Labels) -> Coverage:
    """Effect of flagging every cell whose highest probability is below `threshold`.

    Accuracy is 1 where nothing is left unflagged, and mistakes_flagged 1 where there is no mistake.
    """
    kept = probabilities.max(axis=1) >= threshold
    right = probabilities.argmax(axis=1) == labels
    return Coverage(
        coverage=float(kept.mean()),
        accuracy=float(right[kept].mean()) if kept.any() else 1.0,
        mistakes_flagged=float((~kept)[~right].mean()) if (~right).any() else 1.0,
    )
