"""From scores to calibrated probabilities, and the confidence below which a person must look."""

import numpy as np
from numpy.typing import NDArray

from training.metrics import Floats, Labels

LOWEST_THRESHOLD = 0.5  # a suggestion more likely wrong than right is always flagged


def softmax(logits: Floats) -> Floats:
    """Probabilities over the last axis."""
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


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


def review_threshold(probabilities: Floats, labels: Labels, *, target: float) -> float:
    """The lowest confidence at which the cells at or above it are right in at least `target` of cases.

    At least LOWEST_THRESHOLD; 1.0, which flags all but certain cells, where no threshold reaches the target.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    order = np.argsort(-confidence, kind="stable")
    accuracy = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    # Cells of equal confidence are kept or flagged together.
    last_of_ties = np.append(np.diff(confidence[order]) < 0, True)
    reached = np.flatnonzero((accuracy >= target) & last_of_ties)
    if reached.size == 0:
        return 1.0
    return max(float(confidence[order][reached[-1]]), LOWEST_THRESHOLD)
