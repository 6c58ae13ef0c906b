"""When the machine must not decide: the two doubts that leave a cell to a person.

Written so that a value that is no number is a doubt too.
"""

import numpy as np
import numpy.typing as npt

DISTANCE_LIMIT = 1.0
"""`distance` is given in units of the limit that the version was calibrated to."""


def is_unsure(confidence: npt.ArrayLike, threshold: float) -> npt.NDArray[np.bool_]:
    """Whether `confidence` [...], a cell's highest probability, is below `threshold`: bool [...]."""
    # In double precision, so that a kept value is judged as it was when it came.
    return ~(np.asarray(confidence, np.float64) >= threshold)


def is_unlike(distance: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether a cell at `distance` [...] is unlike anything the version was trained on: bool [...]."""
    return ~(np.asarray(distance, np.float64) <= DISTANCE_LIMIT)
