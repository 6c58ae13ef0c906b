"""Classes of cells."""

from serving.contract import CELL_LABELS
from webapp.hematology.classes import BY_CODE


def test_the_model_can_only_name_classes_that_can_be_counted():
    assert set(CELL_LABELS) <= set(BY_CODE)
    assert len(CELL_LABELS) >= 8


def test_every_class_is_coded_as_what_is_reported_of_it():
    """As CIBMTR's value set 69738-3 has them; erythroblasts per 100 white cells, not red ones."""
    told = {code: (cell_class.loinc, cell_class.unit) for code, cell_class in BY_CODE.items()}
    assert told == {
        "neutrophil": ("26511-6", "%"),
        "lymphocyte": ("26478-8", "%"),
        "monocyte": ("26485-3", "%"),
        "eosinophil": ("26450-7", "%"),
        "basophil": ("30180-4", "%"),
        "immature_granulocyte": ("38518-7", "%"),
        "erythroblast": ("18309-5", "/100{WBCs}"),
        "platelet": (None, None),
    }
