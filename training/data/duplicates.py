"""Pictures of the same cell: the same file twice, encoded again, cut differently, or photographed again.

Such pictures must not be parted between training and test, or the score on the test says too much.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GRID = 54  # squares to a side at which a picture is measured
POINTS = 18  # points to a side at which two pictures are compared
SURROUNDINGS = 5.0  # standard deviation of the weights of what a square is measured against, in squares
BLUR = 1.5  # standard deviation of a point, in squares: what a shift between two photographs may be
LEAST_CONTRAST = 3.0  # grey levels; what varies less is taken for noise
BLACK = 12  # grey levels; darker is no picture but the margin around one
VARIED = 1 / 3
"""The least share of squares unlike a neighbour: of a cell alone on one colour only its size would tell."""
SAME = 0.73
"""The least correlation between pictures of one cell. In PBC the 118 million pairs of different cells reach
0.71, and the 21 pairs of one cell begin at 0.75. In Chula, where a cell was photographed up to eleven times
under changing light, pairs from 0.6 on are of one cell: a few with a large shift are not found."""
BLOCK = 1024  # pictures compared with all others at once


def detail(image: Image.Image) -> NDArray[np.float32] | None:
    """What a picture shows and where, whatever its lamp: float32 [POINTS²], mean 0 and length 1.

    Grey levels are taken relative to their surroundings, so that the red cells around a cell count as much as
    the dark nucleus in the middle, which looks alike in many. (Local contrast normalisation: Jarrett et al.,
    ICCV 2009.) None for a picture too flat to be compared.

    Raises:
        OSError: the image cannot be decoded.
    """
    image.draft("L", (2 * GRID, 2 * GRID))  # a JPEG is decoded no larger than needed
    grey = np.asarray(image.convert("L").resize((GRID, GRID), Image.Resampling.BOX), np.float32)
    inner = grey[1:, 1:]
    if np.mean((inner != grey[:-1, 1:]) | (inner != grey[1:, :-1])) < VARIED:
        return None
    seen = (grey > BLACK).astype(np.float32)
    weight = _smooth(seen, _AROUND) + 1e-6
    difference = (grey - _smooth(grey * seen, _AROUND) / weight) * seen
    spread = np.sqrt(_smooth(difference**2, _AROUND) / weight)
    points = _smooth(np.divide(difference, spread + LEAST_CONTRAST), _SAMPLE).ravel()
    points -= points.mean()
    found: NDArray[np.float32] = points / max(float(np.linalg.norm(points)), 1e-6)
    return found


def groups(digests: Sequence[str], details: Sequence[NDArray[np.float32] | None]) -> NDArray[np.int64]:
    """A number for each picture, [N], the same for pictures of the same cell, directly or through others.

    Args:
        digests: of the files, N: equal for equal files.
        details: from `detail`, N.
    """
    _, group = np.unique(digests, return_inverse=True)
    rows = np.flatnonzero([found is not None for found in details])
    compared = np.array([found for found in details if found is not None])
    for start in range(0, len(rows), BLOCK):
        correlation = compared[start : start + BLOCK] @ compared[start:].T
        for one, other in np.argwhere(np.triu(correlation >= SAME, k=1)) + start:
            group[group == group[rows[other]]] = group[rows[one]]
    return group


def _gaussians(count: int, deviation: float) -> NDArray[np.float32]:
    """Weights [count,GRID] of the squares of a row around `count` evenly spaced points."""
    centres = (np.arange(count) + 0.5) * GRID / count - 0.5
    weights = np.exp(-0.5 * ((np.arange(GRID) - centres[:, None]) / deviation) ** 2)
    normalised: NDArray[np.float32] = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return normalised


_AROUND = _gaussians(GRID, SURROUNDINGS)
_SAMPLE = _gaussians(POINTS, BLUR)


def _smooth(squares: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    smoothed = weights @ squares @ weights.T
    return smoothed.astype(np.float32, copy=False)
