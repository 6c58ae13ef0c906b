"""Classes of cells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.contract import CELL_CLASSES, CELL_LABELS
from webapp.hematology.classes import (
    ALWAYS,
    BY_CODE,
    KEYS,
    NOT_CLASSED,
    OTHER,
    REPORT_ORDER,
    REVIEW_ORDER,
    UNIDENTIFIED,
    InvalidClasses,
    check_classes,
    rolled_up,
    used,
)

COMMANDS = "wzyjf?+-[]"
"""Keys of the workbench that name no class."""


def test_the_model_can_only_name_classes_that_can_be_counted():
    assert set(CELL_LABELS) <= set(BY_CODE)
    assert len(CELL_LABELS) == 8
    assert [one.code for one in CELL_CLASSES if one.suggested] == [one.code for one in CELL_CLASSES[:8]]


def test_every_class_is_coded_as_what_is_reported_of_it():
    """As CIBMTR's value set 69738-3 has them; erythroblasts per 100 white cells, not red ones, and smudge
    cells as LOINC's 34992-8 has them, per 100 white cells."""
    told = {code: (cell_class.loinc, cell_class.unit) for code, cell_class in BY_CODE.items()}
    assert told == {
        "neutrophil": ("26511-6", "%"),
        "segmented_neutrophil": ("26505-8", "%"),
        "band_neutrophil": ("26508-2", "%"),
        "lymphocyte": ("26478-8", "%"),
        "reactive_lymphocyte": ("13046-8", "%"),
        "monocyte": ("26485-3", "%"),
        "eosinophil": ("26450-7", "%"),
        "basophil": ("30180-4", "%"),
        "immature_granulocyte": ("38518-7", "%"),
        "metamyelocyte": ("28541-1", "%"),
        "myelocyte": ("26498-6", "%"),
        "promyelocyte": ("26524-9", "%"),
        "blast": ("26446-5", "%"),
        "plasma_cell": (None, "%"),
        "other": ("26471-3", "%"),
        "erythroblast": ("18309-5", "/100{WBCs}"),
        "smudge": ("34992-8", "/100{WBCs}"),
        "platelet": (None, None),
        "large_platelet": (None, None),
        "platelet_clump": (None, None),
        "artefact": (None, None),
        "not_classed": (None, None),
    }


def test_what_is_in_the_white_count_is_given_in_per_cent_of_it_and_nothing_else_is():
    for cell_class in CELL_CLASSES:
        assert cell_class.in_wbc == (cell_class.unit == "%")
    assert BY_CODE[OTHER].in_wbc
    assert [code for code, one in BY_CODE.items() if not one.counted] == [NOT_CLASSED]


def test_keys_and_orders_have_each_class_once():
    assert set(KEYS) == set(REPORT_ORDER) == set(BY_CODE)
    assert len(REPORT_ORDER) == len(BY_CODE)
    assert sorted(REVIEW_ORDER) == sorted([*BY_CODE, UNIDENTIFIED])
    assert REVIEW_ORDER[:4] == (UNIDENTIFIED, "erythroblast", "basophil", "monocyte")
    assert len(set(KEYS.values())) == len(KEYS)
    assert not set(KEYS.values()) & set(COMMANDS)
    assert all(len(key) == 1 and key == key.lower() for key in KEYS.values())


def test_names_and_short_names_tell_classes_apart():
    for name in ("name", "short"):
        assert len({getattr(one, name).lower() for one in CELL_CLASSES}) == len(CELL_CLASSES)


def test_what_rolls_up_is_part_of_what_a_model_may_name_and_counted_alike():
    for cell_class in CELL_CLASSES:
        if cell_class.rolls_up_to:
            whole = BY_CODE[cell_class.rolls_up_to]
            assert not cell_class.suggested
            assert whole.suggested
            assert (whole.in_wbc, whole.unit) == (cell_class.in_wbc, cell_class.unit)


@given(st.dictionaries(st.sampled_from([*BY_CODE, UNIDENTIFIED]), st.integers(0, 50)))
def test_rolling_up_loses_nothing_and_leaves_what_is_part_of_nothing(counts):
    found = rolled_up(counts)
    assert sum(found.values()) == sum(counts.values())
    assert not [code for code in found if code in BY_CODE and BY_CODE[code].rolls_up_to]
    for code in ("blast", OTHER, NOT_CLASSED, UNIDENTIFIED):
        assert found.get(code) == counts.get(code)


def test_bands_are_neutrophils_and_myelocytes_immature_granulocytes():
    found = rolled_up({"band_neutrophil": 3, "neutrophil": 2, "segmented_neutrophil": 1, "myelocyte": 4})
    assert found == {"neutrophil": 6, "immature_granulocyte": 4}


def test_a_lab_that_chose_nothing_uses_all_in_the_order_of_the_report():
    assert tuple(one.code for one in used([])) == REPORT_ORDER
    assert [one.code for one in used(["other", "of a later release", "blast"])] == ["other", "blast"]


@pytest.mark.parametrize(
    ("codes", "missing", "twice", "unknown"),
    [
        ([*ALWAYS], (), (), ()),
        ([*REPORT_ORDER], (), (), ()),
        ([*ALWAYS, "blast", "blast"], (), ("blast",), ()),
        ([*ALWAYS, "blastt"], (), (), ("blastt",)),
        ([code for code in REPORT_ORDER if code not in ("monocyte", OTHER)], ("monocyte", OTHER), (), ()),
        ([code for code in REPORT_ORDER if code != NOT_CLASSED], (NOT_CLASSED,), (), ()),
    ],
)
def test_what_a_lab_may_use(codes, missing, twice, unknown):
    if not (missing or twice or unknown):
        check_classes(codes)
        return
    with pytest.raises(InvalidClasses) as found:
        check_classes(codes)
    assert (found.value.missing, found.value.twice, found.value.unknown) == (missing, twice, unknown)
