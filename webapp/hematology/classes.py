"""The kinds of cell a differential speaks of: the one list of what people may report.

This package imports nothing of ours, and `serving.contract`, which says what a model may name, imports
nothing at all: neither can be made from the other. `tests/unit/test_one_list.py` holds the two, and whatever
else lists classes, to one another by name.

LOINC codes are those of the ratio that a laboratory reports for the class, units those of UCUM. White cells
bear the codes that LOINC's panel of a manual differential lists; erythroblasts 18309-5, which is nucleated
red cells per 100 white cells by manual count. (26461-4 is per 100 red cells: another quantity.)
"""

from dataclasses import dataclass

UNIDENTIFIED = "unidentified"


@dataclass(frozen=True)
class CellClass:
    code: str
    name: str
    short: str
    in_wbc: bool  # counted in the white-cell denominator
    loinc: str | None = None
    unit: str | None = "%"  # None: a number alone, of nothing


CELL_CLASSES: tuple[CellClass, ...] = (
    CellClass("neutrophil", "Neutrophil", "NEU", True, "26511-6"),
    CellClass("lymphocyte", "Lymphocyte", "LYM", True, "26478-8"),
    CellClass("monocyte", "Monocyte", "MON", True, "26485-3"),
    CellClass("eosinophil", "Eosinophil", "EOS", True, "26450-7"),
    CellClass("basophil", "Basophil", "BAS", True, "30180-4"),
    CellClass("immature_granulocyte", "Immature granulocyte", "IG", True, "38518-7"),
    CellClass("erythroblast", "Erythroblast (NRBC)", "NRBC", False, "18309-5", "/100{WBCs}"),
    CellClass("platelet", "Platelet", "PLT", False, None, None),
)
BY_CODE: dict[str, CellClass] = {cell_class.code: cell_class for cell_class in CELL_CLASSES}
