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
    name: str  # marked; `webapp.inference.selectors` say it and its short name in the reader's language
    short: str
    in_wbc: bool  # counted in the white-cell denominator
    loinc: str | None = None
    unit: str | None = "%"  # None: a number alone, of nothing
    suggested: bool = True  # a model may name it; else people alone report it
    rolls_up_to: str | None = None  # the class that it is part of where only those are reported
    counted: bool = True  # else it is in no count, and how many there are is told beside it


CELL_CLASSES: Final[tuple[CellClass, ...]] = (
    CellClass("neutrophil", N_("Neutrophil"), N_("NEU"), True, "26511-6"),
    CellClass("lymphocyte", N_("Lymphocyte"), N_("LYM"), True, "26478-8"),
    CellClass("monocyte", N_("Monocyte"), N_("MON"), True, "26485-3"),
    CellClass("eosinophil", N_("Eosinophil"), N_("EOS"), True, "26450-7"),
    CellClass("basophil", N_("Basophil"), N_("BAS"), True, "30180-4"),
    CellClass("immature_granulocyte", N_("Immature granulocyte"), N_("IG"), True, "38518-7"),
    CellClass("erythroblast", N_("Erythroblast (NRBC)"), N_("NRBC"), False, "18309-5", "/100{WBCs}"),
    CellClass("platelet", N_("Platelet"), N_("PLT"), False, None, None),
    # What people alone say of a cell.
    CellClass(
        "segmented_neutrophil",
        N_("Segmented neutrophil"),
        N_("SEG"),
        True,
        "26505-8",
        suggested=False,
        rolls_up_to="neutrophil",
    ),
    CellClass(
        "band_neutrophil",
        N_("Band neutrophil"),
        N_("BND"),
        True,
        "26508-2",
        suggested=False,
        rolls_up_to="neutrophil",
    ),
    CellClass(
        "metamyelocyte",
        N_("Metamyelocyte"),
        N_("MET"),
        True,
        "28541-1",
        suggested=False,
        rolls_up_to="immature_granulocyte",
    ),
    CellClass(
        "myelocyte",
        N_("Myelocyte"),
        N_("MYE"),
        True,
        "26498-6",
        suggested=False,
        rolls_up_to="immature_granulocyte",
    ),
    CellClass(
        "promyelocyte",
        N_("Promyelocyte"),
        N_("PRO"),
        True,
        "26524-9",
        suggested=False,
        rolls_up_to="immature_granulocyte",
    ),
    CellClass("blast", N_("Blast"), N_("BLA"), True, "26446-5", suggested=False),
    CellClass(
        "reactive_lymphocyte",
        N_("Reactive lymphocyte"),
        N_("RLY"),
        True,
        "13046-8",
        suggested=False,
        rolls_up_to="lymphocyte",
    ),
    CellClass("plasma_cell", N_("Plasma cell"), N_("PLC"), True, None, suggested=False),
    CellClass("other", N_("Other"), N_("OTH"), True, "26471-3", suggested=False),
    CellClass("smudge", N_("Smudge cell"), N_("SMU"), False, "34992-8", "/100{WBCs}", suggested=False),
    CellClass(
        "large_platelet",
        N_("Large platelet"),
        N_("LPL"),
        False,
        None,
        None,
        suggested=False,
        rolls_up_to="platelet",
    ),
    CellClass("platelet_clump", N_("Platelet clump"), N_("CLP"), False, None, None, suggested=False),
    CellClass("artefact", N_("Artefact"), N_("ART"), False, None, None, suggested=False),
    CellClass("not_classed", N_("Not classed"), "–", False, None, None, suggested=False, counted=False),
)
"""What a model may name first, then what people alone say."""

CELL_LABELS: Final = tuple(sorted(one.code for one in CELL_CLASSES if one.suggested))
"""Every class a model may name. A version's own order is in its model.json."""
