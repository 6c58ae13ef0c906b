"""The kinds of cell that the product knows: the one list, from which every further one is made.

LOINC codes are those of the ratio that a laboratory reports for the class, units those of UCUM. White cells
bear the codes that LOINC's panel of a manual differential lists; erythroblasts 18309-5, which is nucleated
red cells per 100 white cells by manual count. (26461-4 is per 100 red cells: another quantity.)
"""

from dataclasses import dataclass
from typing import Final

from serving.contract.sentence import N_


@dataclass(frozen=True)
class CellClass:
    code: str
    name: str  # marked; `webapp.inference.selectors.class_name` says it in the reader's language
    short: str
    in_wbc: bool  # counted in the white-cell denominator
    loinc: str | None = None
    unit: str | None = "%"  # None: a number alone, of nothing
    suggested: bool = True  # a model may name it; else people alone report it


CELL_CLASSES: Final[tuple[CellClass, ...]] = (
    CellClass("neutrophil", N_("Neutrophil"), "NEU", True, "26511-6"),
    CellClass("lymphocyte", N_("Lymphocyte"), "LYM", True, "26478-8"),
    CellClass("monocyte", N_("Monocyte"), "MON", True, "26485-3"),
    CellClass("eosinophil", N_("Eosinophil"), "EOS", True, "26450-7"),
    CellClass("basophil", N_("Basophil"), "BAS", True, "30180-4"),
    CellClass("immature_granulocyte", N_("Immature granulocyte"), "IG", True, "38518-7"),
    CellClass("erythroblast", N_("Erythroblast (NRBC)"), "NRBC", False, "18309-5", "/100{WBCs}"),
    CellClass("platelet", N_("Platelet"), "PLT", False, None, None),
)
"""In the order of a report."""

CELL_LABELS: Final = tuple(sorted(one.code for one in CELL_CLASSES if one.suggested))
"""Every class a model may name. A version's own order is in its model.json."""
