"""What people may say of a cell: the classes of `serving.contract.classes`, or none yet.

Their keys and their orders are the screen's and the report's, not the contract's; a test holds them to it.
"""

from collections.abc import Mapping, Sequence

from serving.contract import CELL_CLASSES, CellClass

UNIDENTIFIED = "unidentified"
OTHER = "other"
NOT_CLASSED = "not_classed"

BY_CODE: dict[str, CellClass] = {cell_class.code: cell_class for cell_class in CELL_CLASSES}

KEYS: dict[str, str] = {
    "neutrophil": "n",
    "segmented_neutrophil": "s",
    "band_neutrophil": "d",
    "lymphocyte": "l",
    "monocyte": "m",
    "eosinophil": "e",
    "basophil": "b",
    "immature_granulocyte": "i",
    "metamyelocyte": "3",
    "myelocyte": "2",
    "promyelocyte": "1",
    "blast": "t",
    "reactive_lymphocyte": "v",
    "plasma_cell": "c",
    "other": "o",
    "erythroblast": "r",
    "smudge": "x",
    "platelet": "p",
    "large_platelet": "g",
    "platelet_clump": "h",
    "artefact": "a",
    "not_classed": "u",
}
"""The key of each class, where nobody has chosen another."""

REPORT_ORDER: tuple[str, ...] = (
    *("blast", "promyelocyte", "myelocyte", "metamyelocyte", "immature_granulocyte"),
    *("band_neutrophil", "segmented_neutrophil", "neutrophil", "eosinophil", "basophil"),
    *("lymphocyte", "reactive_lymphocyte", "plasma_cell", "monocyte", "other"),
    *("erythroblast", "smudge", "platelet", "large_platelet", "platelet_clump", "artefact"),
    "not_classed",
)
"""White cells as they mature, then what is none."""

_FIRST_LOOKED_AT = (
    *(UNIDENTIFIED, "erythroblast", "basophil", "monocyte"),
    *("immature_granulocyte", "metamyelocyte", "myelocyte", "promyelocyte", "blast", "other"),
)
REVIEW_ORDER: tuple[str, ...] = (
    *_FIRST_LOOKED_AT,
    *(code for code in REPORT_ORDER if code not in _FIRST_LOOKED_AT),
)
"""In which a person looks: what nobody has named, what machines are worst at, the rest."""

ALWAYS: frozenset[str] = frozenset({*(one.code for one in CELL_CLASSES if one.suggested), OTHER, NOT_CLASSED})
"""What no lab can do without: else a suggestion could not be confirmed, or a stranger not be named."""

ABNORMAL_IN_ANY_NUMBER = frozenset({"erythroblast", "blast", OTHER})
"""Of which one cell is enough."""
ABNORMAL_ABOVE_LIMIT = frozenset({"immature_granulocyte"})
"""That are abnormal where there are more of them than the laboratory's range allows."""


class InvalidClasses(ValueError):
    """No lab can use just these classes."""

    def __init__(
        self, *, unknown: Sequence[str] = (), twice: Sequence[str] = (), missing: Sequence[str] = ()
    ):
        # untranslated: a fault of the caller's
        super().__init__(f"unknown: {unknown}, twice: {twice}, missing: {missing}")
        self.unknown, self.twice, self.missing = tuple(unknown), tuple(twice), tuple(missing)


def check_classes(codes: Sequence[str]) -> None:
    """Raise InvalidClasses where a lab cannot use `codes`, in this order."""
    unknown = sorted({code for code in codes if code not in BY_CODE})
    twice = sorted({code for code in codes if codes.count(code) > 1})
    missing = [code for code in REPORT_ORDER if code in ALWAYS and code not in codes]
    if unknown or twice or missing:
        raise InvalidClasses(unknown=unknown, twice=twice, missing=missing)


def used(codes: Sequence[str]) -> tuple[CellClass, ...]:
    """The classes that a lab uses, in its order; of one that has chosen none, all in the report's."""
    return tuple(BY_CODE[code] for code in codes or REPORT_ORDER if code in BY_CODE)


def rolled_up(counts: Mapping[str, int]) -> dict[str, int]:
    """`counts` by class code for a report of less: what is part of another class is counted as that."""
    found: dict[str, int] = {}
    for code, count in counts.items():
        whole = BY_CODE[code].rolls_up_to or code if code in BY_CODE else code
        found[whole] = found.get(whole, 0) + count
    return found
