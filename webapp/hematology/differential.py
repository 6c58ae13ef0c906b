"""The differential count.

Erythroblasts and platelets are never in the white-cell denominator; erythroblasts are given per 100 white
cells (CLSI H20). Unidentified cells are in no class until a person decides, so they are in no denominator
either.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from serving.contract import CELL_CLASSES, CellClass
from webapp.hematology.classes import BY_CODE, UNIDENTIFIED
from webapp.hematology.intervals import wilson

FULL_COUNTS = (100, 200, 400)
"""White cells of a full count, of which a laboratory chooses one: 100 or 200 in routine, 400 as the
reference that CLSI H20 compares methods with. The least is what a manual differential counts anywhere."""


@dataclass(frozen=True)
class Row:
    """One class. `percent` is of all white cells counted; `low` and `high` bound it with 95 % confidence.

    For erythroblasts `percent` is per 100 white cells and unbounded above, so it has no interval; platelets
    have a number only. All three are None while there is nothing to divide by.
    """

    cell_class: CellClass
    count: int
    percent: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Differential:
    white_cells: tuple[Row, ...]
    others: tuple[Row, ...]
    wbc_count: int
    unidentified: int
    full_count: int

    @property
    def is_full(self) -> bool:
        """Enough white cells for the percentages to be reported."""
        return self.wbc_count >= self.full_count


def differential(counts: Mapping[str, int], full_count: int) -> Differential:
    """The differential of `counts`, cells by class code (`unidentified` included).

    Args:
        full_count: white cells from which on the laboratory reports percentages.

    Raises:
        ValueError: a code is unknown or a count is negative.
    """
    unknown = counts.keys() - BY_CODE.keys() - {UNIDENTIFIED}
    if unknown or any(count < 0 for count in counts.values()):
        # untranslated: a fault of the caller's
        raise ValueError(f"not a count of known cell classes: {dict(counts)}")
    wbc = sum(counts.get(cell_class.code, 0) for cell_class in CELL_CLASSES if cell_class.in_wbc)
    rows = [_row(cell_class, counts.get(cell_class.code, 0), wbc) for cell_class in CELL_CLASSES]
    return Differential(
        white_cells=tuple(row for row in rows if row.cell_class.in_wbc),
        others=tuple(row for row in rows if not row.cell_class.in_wbc),
        wbc_count=wbc,
        unidentified=counts.get(UNIDENTIFIED, 0),
        full_count=full_count,
    )


def _row(cell_class: CellClass, count: int, wbc: int) -> Row:
    if wbc == 0 or cell_class.unit is None:
        return Row(cell_class, count, None, None, None)
    percent = 100 * count / wbc
    if not cell_class.in_wbc:
        return Row(cell_class, count, percent, None, None)
    low, high = wilson(count, wbc)
    return Row(cell_class, count, percent, 100 * low, 100 * high)
