"""From scores to calibrated probabilities, and the confidence below which a person must look."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from serving.contract import is_unlike
from training.evaluation.measures import Floats, Labels

LOWEST_THRESHOLD = 0.5  # a suggestion more likely wrong than right is always flagged
CONFIDENCE = 0.75  # that the true accuracy above the threshold is no lower than asked for
FAMILIAR = 0.98  # the share of cells from the model's own lab that its distance limit leaves unflagged


@dataclass(frozen=True)
class Calibration:
    """What is fitted to a trained classifier on images it did not learn from."""

    temperature: float
    review_threshold: float
    distance_limit: float
    """In standard deviations (training.export.distance)."""


def calibrate(logits: Floats, distances: Floats, labels: Labels, *, target: float) -> Calibration:
    """Temperature, distance limit and review threshold.

    Args:
        logits: [N,K], of images the model was not trained on.
        distances: [N], theirs from the training cells of their suggested class.
        labels: [N].
        target: the accuracy wanted of what is not flagged, 0 to 1.
    """
    temperature = fit_temperature(logits, labels)
    limit = distance_limit(distances)
    familiar = ~is_unlike(distances / limit)
    threshold = review_threshold(softmax(logits / temperature), labels, familiar, target=target)
    return Calibration(temperature, threshold, limit)


def softmax(logits: Floats) -> Floats:
    """Probabilities over the last axis."""
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities: Floats = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return probabilities


def fit_temperature(logits: Floats, labels: Labels) -> float:
    """The divisor of the logits, 0.1 to 10, with the lowest negative log-likelihood (Guo et al., ICML 2017).

    Args:
        logits: [N,K], of images the model was not trained on.
        labels: [N].
    """
    grid: NDArray[np.float64] = np.geomspace(0.1, 10, 1001)
    rows = np.arange(len(labels))
    losses = [-np.log(softmax(logits / t)[rows, labels] + 1e-12).mean() for t in grid]
    return float(grid[np.argmin(losses)])


def review_threshold(
    probabilities: Floats, labels: Labels, familiar: NDArray[np.bool_], *, target: float
) -> float:
    """The lowest confidence at and above which `target` of the familiar cells, at least, are right.

    At least: the lower bound of that share at CONFIDENCE (Clopper & Pearson, Biometrika 1934), because a
    threshold picked where these cells happened to do well does worse on the next. At least LOWEST_THRESHOLD;
    1.0, which flags all but certain cells, where no threshold reaches the target.

    Args:
        probabilities: [N,K], of images the model was not trained on.
        labels: [N].
        familiar: [N], cells that are not flagged for their distance.
        target: 0 to 1.
    """
    confidence = probabilities.max(axis=1)[familiar]
    right = (probabilities.argmax(axis=1) == labels)[familiar]
    order = np.argsort(-confidence, kind="stable")
    count, mistakes = np.arange(1, len(order) + 1), np.cumsum(~right[order])
    accuracy = beta.ppf(1 - CONFIDENCE, count - mistakes, mistakes + 1)
    # Cells of equal confidence are kept or flagged together.
    last_of_ties = np.append(np.diff(confidence[order]) < 0, True)
    reached = np.flatnonzero((accuracy >= target) & last_of_ties)
    if reached.size == 0:
        return 1.0
    return max(float(confidence[order][reached[-1]]), LOWEST_THRESHOLD)


def least_images(target: float) -> int:
    """How many images, all named rightly, it takes for review_threshold to find that `target` is reached."""
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(target))


def distance_limit(distances: Floats) -> float:
    """The distance within which FAMILIAR of these unseen cells lie, of the lab the model was trained for."""
    return float(np.quantile(distances, FAMILIAR))
