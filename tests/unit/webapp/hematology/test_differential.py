"""The count of white cells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.present import present
from webapp.hematology.classes import BY_CODE, UNIDENTIFIED
from webapp.hematology.differential import FULL_COUNTS, differential


def rows(counts):
    found = differential(counts, 100)
    return {row.cell_class.code: row for row in (*found.white_cells, *found.others)}


def test_percentages_are_of_white_cells_only():
    found = differential(
        {"neutrophil": 60, "lymphocyte": 40, "erythroblast": 10, "platelet": 500, UNIDENTIFIED: 7}, 100
    )
    assert found.wbc_count == 100
    assert found.is_full
    assert found.unidentified == 7
    by_code = rows({"neutrophil": 60, "lymphocyte": 40, "erythroblast": 10, "platelet": 500})
    assert by_code["neutrophil"].percent == 60
    assert by_code["erythroblast"].percent == 10  # per 100 white cells
    assert by_code["platelet"].percent is None


def test_erythroblasts_may_outnumber_white_cells():
    row = rows({"neutrophil": 10, "erythroblast": 25})["erythroblast"]
    assert (row.percent, row.low, row.high) == (250, None, None)


def test_smudges_are_given_per_100_white_cells_and_never_among_them():
    row = rows({"neutrophil": 150, "other": 50, "smudge": 20})["smudge"]
    assert (row.percent, row.low, row.high) == (10, None, None)
    assert rows({"smudge": 20})["smudge"].percent is None


def test_blasts_and_others_are_white_cells():
    by_code = rows({"blast": 1, "other": 1, "neutrophil": 98})
    assert by_code["blast"].percent == by_code["other"].percent == 1
    assert by_code["blast"].low is not None


def test_what_nobody_can_tell_is_out_of_the_count_and_told_beside_it():
    found = differential({"neutrophil": 10, "not_classed": 5, UNIDENTIFIED: 2}, 100)
    assert (found.wbc_count, found.not_classed, found.unidentified) == (10, 5, 2)
    assert "not_classed" not in {row.cell_class.code for row in found.rows}


def test_rows_are_the_labs_in_its_order_and_what_else_has_cells():
    classes = [BY_CODE[code] for code in ("lymphocyte", "neutrophil", "platelet", "not_classed")]
    found = differential({"blast": 2, "smudge": 1, "neutrophil": 3}, 100, classes)
    assert [row.cell_class.code for row in found.rows] == [
        "lymphocyte", "neutrophil", "blast", "platelet", "smudge",
    ]  # fmt: skip
    assert found.wbc_count == 5


def test_nothing_counted_has_no_percentages():
    found = differential({}, 100)
    assert found.wbc_count == 0
    assert not found.is_full
    assert all(row.percent is None for row in (*found.white_cells, *found.others))


@pytest.mark.parametrize("counts", [{"neutrophyl": 1}, {"neutrophil": -1}])
def test_what_is_no_count_is_rejected(counts):
    with pytest.raises(ValueError, match="not a count"):
        differential(counts, 100)


@given(st.dictionaries(st.sampled_from(sorted(BY_CODE)), st.integers(0, 5000)))
def test_white_cell_percentages_add_up(counts):
    found = differential(counts, 100)
    if found.wbc_count:
        assert sum(present(row.percent) for row in found.white_cells) == pytest.approx(100)
    assert sum(row.count for row in found.rows) + found.not_classed == sum(counts.values())


def test_a_count_is_full_where_the_lab_says():
    counts = {"neutrophil": 120, "lymphocyte": 80, "erythroblast": 300, UNIDENTIFIED: 300}
    assert [differential(counts, full).is_full for full in FULL_COUNTS] == [True, True, False]
