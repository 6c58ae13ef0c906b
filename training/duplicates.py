"""Pictures of the same cell: the same file twice, encoded again, or cut a little differently.

Such pictures must not be parted between training and test, or the score on the test says too much.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GRID = 8
SAME = 16
"""Steps of the 128 that may differ between pictures of one cell. Encoding again, halving, and cutting or
shifting by 2 % change up to 16; the 118 million pairs of different cells in PBC all differ in 22 or more."""
CHANGING = 2 / 3
"""The least share of steps that are not flat: of a cell alone on one colour only its size would tell."""


def difference_hash(image: Image.Image) -> NDArray[np.uint64] | None:
    """Where an image gets brighter from one square of a grid to the next, right and down: 128 bits [2].

    None for a picture too flat for that. (Difference hash: Krawetz, "Kind of Like That", 2013.)

    Raises:
        OSError: the image cannot be decoded.
    """
    image.draft("L", (8 * GRID, 8 * GRID))  # a JPEG is decoded no larger than needed
    grey = image.convert("L").resize((4 * GRID, 4 * GRID), Image.Resampling.BOX)
    across, down = (
        np.asarray(grey.resize(size, Image.Resampling.BOX), np.int16)
        for size in ((GRID + 1, GRID), (GRID, GRID + 1))
    )
    steps = np.concatenate([np.diff(across, axis=1).ravel(), np.diff(down, axis=0).ravel()])
    if np.count_nonzero(steps) < CHANGING * steps.size:
        return None
    return np.packbits(steps > 0).view(np.uint64)


def groups(digests: Sequence[str], hashes: Sequence[NDArray[np.uint64] | None]) -> NDArray[np.int64]:
    """A number for each picture, [N], the same for pictures of the same cell, directly or through others.

    Args:
        digests: of the files, N: equal for equal files.
        hashes: from difference_hash, N.
    """
    _, group = np.unique(digests, return_inverse=True)
    hashed = np.flatnonzero([found is not None for found in hashes])
    bits = np.array([found for found in hashes if found is not None], np.uint64).reshape(-1, 2)
    for position, row in enumerate(hashed):
        different = np.bitwise_count(bits[position + 1 :] ^ bits[position]).sum(axis=1)
        for other in hashed[position + 1 :][different <= SAME]:
            group[group == group[other]] = group[row]
    return group
