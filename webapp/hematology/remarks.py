"""What a person may remark on red cells, platelets and white cells: terms, and the grades that each may have.

The terms and the system of grades are those of the ICSH (Palmer et al., International Journal of Laboratory
Hematology 2015, doi 10.1111/ijlh.12327): 2+ is moderate, 3+ many; 1+, few, is for schistocytes alone. A
person chooses. Nothing is computed, and no limits are given here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from serving.contract.sentence import N_

MODERATE_OR_MANY = ("2+", "3+")
FEW_TO_MANY = ("1+", "2+", "3+")
PRESENT: tuple[str, ...] = ()
"""Of what is there or not."""

WORDS = "words"
"""The term of free words on a subject, in place of one of the list."""

SUBJECTS: dict[str, str] = {
    "red_cells": N_("Red cells"),
    "white_cells": N_("White cells"),
    "platelets": N_("Platelets"),
    "general": N_("In general"),
}


@dataclass(frozen=True)
class Term:
    code: str
    name: str  # marked
    subject: str
    grades: tuple[str, ...]


_RED = (
    ("anisocytosis", N_("Anisocytosis"), MODERATE_OR_MANY),
    ("poikilocytosis", N_("Poikilocytosis"), MODERATE_OR_MANY),
    ("macrocytes", N_("Macrocytes"), MODERATE_OR_MANY),
    ("oval_macrocytes", N_("Oval macrocytes"), MODERATE_OR_MANY),
    ("microcytes", N_("Microcytes"), MODERATE_OR_MANY),
    ("hypochromia", N_("Hypochromia"), MODERATE_OR_MANY),
    ("polychromasia", N_("Polychromasia"), MODERATE_OR_MANY),
    ("acanthocytes", N_("Acanthocytes"), MODERATE_OR_MANY),
    ("bite_cells", N_("Bite cells"), MODERATE_OR_MANY),
    ("blister_cells", N_("Blister cells"), MODERATE_OR_MANY),
    ("echinocytes", N_("Echinocytes"), MODERATE_OR_MANY),
    ("elliptocytes", N_("Elliptocytes"), MODERATE_OR_MANY),
    ("irregularly_contracted_cells", N_("Irregularly contracted cells"), MODERATE_OR_MANY),
    ("ovalocytes", N_("Ovalocytes"), MODERATE_OR_MANY),
    ("schistocytes", N_("Schistocytes"), FEW_TO_MANY),
    ("sickle_cells", N_("Sickle cells"), MODERATE_OR_MANY),
    ("spherocytes", N_("Spherocytes"), MODERATE_OR_MANY),
    ("stomatocytes", N_("Stomatocytes"), MODERATE_OR_MANY),
    ("target_cells", N_("Target cells"), MODERATE_OR_MANY),
    ("teardrop_cells", N_("Teardrop cells"), MODERATE_OR_MANY),
    ("basophilic_stippling", N_("Basophilic stippling"), MODERATE_OR_MANY),
    ("howell_jolly_bodies", N_("Howell-Jolly bodies"), MODERATE_OR_MANY),
    ("pappenheimer_bodies", N_("Pappenheimer bodies"), MODERATE_OR_MANY),
    ("rouleaux", N_("Rouleaux"), PRESENT),
    ("agglutination", N_("Agglutination"), PRESENT),
    ("parasites", N_("Parasites"), PRESENT),
)
_WHITE = (
    ("toxic_granulation", N_("Toxic granulation"), MODERATE_OR_MANY),
    ("hypogranulation", N_("Hypogranular neutrophils"), MODERATE_OR_MANY),
    ("vacuolation", N_("Vacuolated neutrophils"), MODERATE_OR_MANY),
    ("doehle_bodies", N_("Döhle bodies"), MODERATE_OR_MANY),
    ("hypersegmentation", N_("Hypersegmented neutrophils"), PRESENT),
    ("hyposegmentation", N_("Hyposegmented neutrophils"), PRESENT),
    ("auer_rods", N_("Auer rods"), PRESENT),
)
_PLATELETS = (
    ("giant_platelets", N_("Giant platelets"), MODERATE_OR_MANY),
    ("hypogranular_platelets", N_("Hypogranular platelets"), MODERATE_OR_MANY),
    ("platelet_clumps", N_("Platelet clumps"), PRESENT),
    ("platelet_satellitism", N_("Platelet satellitism"), PRESENT),
)

TERMS: Mapping[str, Term] = {
    code: Term(code, name, subject, grades)
    for subject, terms in (("red_cells", _RED), ("white_cells", _WHITE), ("platelets", _PLATELETS))
    for code, name, grades in terms
}


class InvalidRemark(ValueError):
    """There is no such term, or it has no such grade."""


def check(subject: str, term: str, grade: str) -> None:
    """Raise InvalidRemark for what nobody may remark.

    A term with grades needs one of them; free words are on any subject and have none.
    """
    if subject not in SUBJECTS:
        # untranslated: a fault of the caller's
        raise InvalidRemark(f"no subject: {subject!r}")
    if term == WORDS:
        allowed: tuple[str, ...] = PRESENT
    elif term in TERMS and TERMS[term].subject == subject:
        allowed = TERMS[term].grades
    else:
        # untranslated: a fault of the caller's
        raise InvalidRemark(f"no term of {subject}: {term!r}")
    if grade not in (allowed or ("",)):
        # untranslated: a fault of the caller's
        raise InvalidRemark(f"no grade of {term}: {grade!r}")
