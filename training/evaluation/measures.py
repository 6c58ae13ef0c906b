"""Scores of a classifier. Pure functions.

Throughout: probabilities float [N,K]; labels and guesses int [N] in 0..K-1; weights [...,N] says how often
each image counts. A score has the weights' leading shape, so that one call scores every draw of a bootstrap;
without weights each image counts once and the score is a number. NaN is a score that is not defined.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Labels = NDArray[np.integer]
Mask = NDArray[np.bool_]


def mean(values: Floats | Mask, among: Mask, weights: Floats | None = None) -> Floats:
    """Mean of values [N] over the images in `among` [N]; of booleans, the share that is true."""
    weights = _given(weights, len(values))
    return _ratio(weights @ (values * among), weights @ among.astype(float))


def confusion_matrix(guesses: Labels, labels: Labels, classes: int) -> NDArray[np.int64]:
    """Counts [K,K]: row the true class, column the guess."""
    return np.bincount(labels * classes + guesses, minlength=classes * classes).reshape(classes, classes)


def precision(guesses: Labels, labels: Labels, label: int, weights: Floats | None = None) -> Floats:
    """Of the images that were guessed to be `label`, the share that is; not defined if none was."""
    return mean(labels == label, guesses == label, weights)


def recall(guesses: Labels, labels: Labels, label: int, weights: Floats | None = None) -> Floats:
    """Of the images of `label`, the share that was found; not defined if there is none."""
    return mean(guesses == label, labels == label, weights)


def f1(guesses: Labels, labels: Labels, label: int, weights: Floats | None = None) -> Floats:
    """Harmonic mean of precision and recall: 0 if the class is never guessed."""
    # Of the images that are `label` or were guessed to be, j are both: 2 j / (1 + j).
    both = mean((guesses == label) & (labels == label), (guesses == label) | (labels == label), weights)
    return 2 * both / (1 + both)


OfClass = Callable[[Labels, Labels, int, Floats | None], Floats]
"""A score of one class: precision, recall or f1."""


def macro(score: OfClass, guesses: Labels, labels: Labels, weights: Floats | None = None) -> Floats:
    """Mean of a class score over the classes that have images; the precision of one never guessed is 0."""
    of_classes = [np.nan_to_num(score(guesses, labels, label, weights)) for label in np.unique(labels)]
    average: Floats = np.mean(of_classes, axis=0)
    return average


def calibration_bins(probabilities: Floats, bins: int = 15) -> Labels:
    """The bin of each image's confidence, its highest probability, among `bins` of equal width: [N]."""
    bin_of: Labels = np.minimum((probabilities.max(axis=1) * bins).astype(int), bins - 1)
    return bin_of


def expected_calibration_error(
    probabilities: Floats, labels: Labels, weights: Floats | None = None, *, bins: int = 15
) -> Floats:
    """Mean distance of confidence from accuracy over bins of confidence (Guo et al., ICML 2017)."""
    weights = _given(weights, len(labels))
    gap = probabilities.max(axis=1) - (probabilities.argmax(axis=1) == labels)
    of_bin = np.eye(bins)[calibration_bins(probabilities, bins)]  # [N,bins]
    error: Floats = np.abs(weights @ (of_bin * gap[:, None])).sum(axis=-1) / weights.sum(axis=-1)
    return error


def roc_auc(scores: Floats, positive: Mask, weights: Floats | None = None) -> Floats:
    """Chance that a positive image scores above a negative one, a tie counting half (Hanley & McNeil 1982).

    Not defined without both kinds.
    """
    weights = _given(weights, len(scores))
    order = np.argsort(scores, kind="stable")
    ranked, positive, weights = scores[order], positive[order], weights[..., order]
    negatives = np.concatenate(
        [np.zeros((*weights.shape[:-1], 1)), np.cumsum(weights * ~positive, axis=-1)], axis=-1
    )
    # Negatives below each image, and those up to its equals: half of the difference are ties.
    below = negatives[..., np.searchsorted(ranked, ranked, side="left")]
    up_to = negatives[..., np.searchsorted(ranked, ranked, side="right")]
    won = (weights * positive * (below + up_to) / 2).sum(axis=-1)
    return _ratio(won, (weights @ positive.astype(float)) * negatives[..., -1])


def risk_coverage(confidence: Floats, right: Mask) -> tuple[Floats, Floats]:
    """Coverage and risk, each [M], by falling confidence: of the surest share of images, what share is wrong.

    Images of equal confidence are taken together (Geifman & El-Yaniv, NeurIPS 2017).
    """
    order = np.argsort(-confidence, kind="stable")
    count = np.arange(1, len(order) + 1)
    last_of_ties = np.append(np.diff(confidence[order]) < 0, True)
    risk = np.cumsum(~right[order]) / count
    return (count / len(order))[last_of_ties], risk[last_of_ties]


def _given(weights: Floats | None, count: int) -> Floats:
    return np.ones(count) if weights is None else weights


def _ratio(part: Any, whole: Any) -> Floats:
    part, whole = np.asarray(part, float), np.asarray(whole, float)
    ratio: Floats = np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    return ratio
