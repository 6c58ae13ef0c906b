"""The differential count.

Erythroblasts, smudge cells and platelets are never in the white-cell denominator; erythroblasts and smudge
cells are given per 100 white cells (CLSI H20). Unidentified cells are in no class until a person decides, and
a person could not tell those not classed, so both are in no denominator either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from serving.contract import CellClass
from webapp.hematology.classes import BY_CODE, NOT_CLASSED, REPORT_ORDER, UNIDENTIFIED, used
from webapp.hematology.intervals import wilson

FULL_COUNTS = (100, 200, 400)
"""White cells of a full count, of which a laboratory chooses one: 100 or 200 in routine, 400 as the
reference that CLSI H20 compares methods with. The least is what a manual differential counts anywhere."""


@dataclass(frozen=True)
class Row:
    """One class. `percent` is of all white cells counted; `low` and `high` bound it with 95 % confidence.

    For what is given per 100 white cells `percent` is unbounded above, so it has no interval; platelets and
    artefacts have a number only. All three are None while there is nothing to divide by.
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
    not_classed: int
    full_count: int

    @property
    def rows(self) -> tuple[Row, ...]:
        return self.white_cells + self.others

    @property
    def is_full(self) -> bool:
        """Enough white cells for the percentages to be reported."""
        return self.wbc_count >= self.full_count


def differential(
    counts: Mapping[str, int], full_count: int, classes: Sequence[CellClass] = used(())
) -> Differential:
    """The differential of `counts`, cells by class code (`unidentified` included).

    Args:
        full_count: white cells from which on the laboratory reports percentages.
        classes: those that have a row in any case, in their order; others have one where they have cells.

    Raises:
        ValueError: a code is unknown or a count is negative.
    """
    unknown = counts.keys() - BY_CODE.keys() - {UNIDENTIFIED}
    if unknown or any(count < 0 for count in counts.values()):
        # untranslated: a fault of the caller's
        raise ValueError(f"not a count of known cell classes: {dict(counts)}")
    codes = [cell_class.code for cell_class in classes]
    codes += [code for code in REPORT_ORDER if counts.get(code) and code not in codes]
    wbc = sum(count for code, count in counts.items() if code in BY_CODE and BY_CODE[code].in_wbc)
    rows = [row_of(BY_CODE[code], counts.get(code, 0), wbc) for code in codes if BY_CODE[code].counted]
    return Differential(
        white_cells=tuple(row for row in rows if row.cell_class.in_wbc),
        others=tuple(row for row in rows if not row.cell_class.in_wbc),
        wbc_count=wbc,
        unidentified=counts.get(UNIDENTIFIED, 0),
        not_classed=counts.get(NOT_CLASSED, 0),
        full_count=full_count,
    )


def row_of(cell_class: CellClass, count: int, wbc: int) -> Row:
    """The row of a class of which there are so many cells beside so many white cells."""
    if wbc == 0 or cell_class.unit is None:
        return Row(cell_class, count, None, None, None)
    percent = 100 * count / wbc
    if not cell_class.in_wbc:
        return Row(cell_class, count, percent, None, None)
    low, high = wilson(count, wbc)
    return Row(cell_class, count, percent, 100 * low, 100 * high)
