"""Confidence intervals of a proportion."""

from math import sqrt

Z_95 = 1.959963984540054


def wilson(successes: int, total: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson's score interval for `successes` of `total`, as fractions.

    Wilson, JASA 1927; Rümke 1985 for counts.

    Raises:
        ValueError: the total is not positive, or the successes are not within it.
    """
    if total <= 0 or not 0 <= successes <= total:
        # untranslated: a fault of the caller's
        raise ValueError(f"{successes} of {total} is not a proportion")
    share = successes / total
    centre = share + z * z / (2 * total)
    margin = z * sqrt((share * (1 - share) + z * z / (4 * total)) / total)
    scale = 1 + z * z / total
    # At the ends the roots leave a remainder, where none and all are exact.
    low = (centre - margin) / scale if successes else 0.0
    high = (centre + margin) / scale if successes < total else 1.0
    return max(0.0, low), min(1.0, high)
