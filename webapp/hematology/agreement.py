"""How far two readers of the same cells agree.

Cohen, Educational and Psychological Measurement 1960: what they agree on beyond what chance would give.
"""

from collections import Counter
from collections.abc import Mapping

Confusion = Mapping[tuple[str, str], int]
"""How many cells the first reader gave one class and the second another, by both."""


def agreed(confusion: Confusion) -> int:
    """Cells to which both gave the same class."""
    return sum(n for (first, second), n in confusion.items() if first == second)


def cohens_kappa(confusion: Confusion) -> float | None:
    """Cohen's kappa, unweighted: 1 where they always agree, 0 where they do as often as by chance.

    None where it is undefined: no cell, or both gave all cells the same one class, so that chance alone
    would make them agree.

    Raises:
        ValueError: a number is negative.
    """
    if any(n < 0 for n in confusion.values()):
        # untranslated: a fault of the caller's
        raise ValueError(f"not a count of cells: {dict(confusion)}")
    total = sum(confusion.values())
    first, second = Counter[str](), Counter[str]()
    for (one, other), n in confusion.items():
        first[one] += n
        second[other] += n
    # In whole numbers, so that what is undefined is found exactly.
    by_chance = sum(first[code] * second[code] for code in first)
    if total * total == by_chance:  # no cell at all, too
        return None
    return (total * agreed(confusion) - by_chance) / (total * total - by_chance)
