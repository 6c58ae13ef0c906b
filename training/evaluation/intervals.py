"""95 % intervals by a bootstrap that draws cells, not pictures of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.evaluation.measures import Floats, Labels, Mask, mean

DRAWS = 1000
LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A score with its interval; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None

    def map(self, function: Callable[[float], float]) -> "Estimate":
        """The estimate of a rising function of this score."""
        return Estimate(
            *(None if value is None else function(value) for value in (self.value, self.low, self.high))
        )


class Bootstrap:
    """Stratified bootstrap (Efron & Tibshirani 1993): each draw has as many cells of a class as there are.

    Args:
        labels: [N], the class of each image.
        cells: [N], a number for each image; images of one cell share it, and are drawn together.
        seed: the same seed gives the same intervals.

    Attributes:
        cells: how many there are.
    """

    def __init__(self, labels: Labels, cells: Labels, *, draws: int = DRAWS, seed: int = 0) -> None:
        _, first, self._cells = np.unique(cells, return_index=True, return_inverse=True)
        self.cells = len(first)
        random = np.random.default_rng(seed)
        times = np.empty((draws, len(first)))
        for label in np.unique(labels[first]):
            of_class = np.flatnonzero(labels[first] == label)
            shares = np.full(len(of_class), 1 / len(of_class))
            times[:, of_class] = random.multinomial(len(of_class), shares, size=draws)
        self._weights = np.vstack([np.ones(len(labels)), times[:, self._cells]])

    def estimate(self, score: Callable[[Floats], Floats]) -> Estimate:
        """Of a score: a function of weights [D,N] to values [D], NaN where it is not defined in a draw."""
        value, *drawn = score(self._weights)
        if np.isnan(value):
            return Estimate(None, None, None)
        low, high = np.nanpercentile(drawn, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
        return Estimate(float(value), float(low), float(high))

    def share(self, hits: Mask, among: Mask) -> Estimate:
        """Of the share of hits [N] over the images in `among` [N].

        Where all are hits, or none is, every draw is alike and says nothing about chance; there the bound on
        the other side is that of Clopper & Pearson (Biometrika 1934), for the number of cells.
        """
        found = self.estimate(lambda weights: mean(hits, among, weights))
        if found.value not in (0.0, 1.0):
            return found
        bound = ((1 - LEVEL) / 2) ** (1 / len(np.unique(self._cells[among])))
        return Estimate(1.0, bound, 1.0) if found.value else Estimate(0.0, 0.0, 1 - bound)
