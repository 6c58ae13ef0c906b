import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.contract import CELL_LABELS
from tests.support.present import present
from webapp.hematology.classes import BY_CODE, UNIDENTIFIED
from webapp.hematology.differential import FULL_COUNTS, differential
from webapp.hematology.intervals import wilson


def rows(counts):
    found = differential(counts, 100)
    return {row.cell_class.code: row for row in (*found.white_cells, *found.others)}


def test_the_model_can_only_name_classes_that_can_be_counted():
    assert set(CELL_LABELS) == set(BY_CODE)


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


def test_nothing_counted_has_no_percentages():
    found = differential({}, 100)
    assert found.wbc_count == 0
    assert not found.is_full
    assert all(row.percent is None for row in (*found.white_cells, *found.others))


@pytest.mark.parametrize("counts", [{"neutrophyl": 1}, {"neutrophil": -1}])
def test_what_is_no_count_is_refused(counts):
    with pytest.raises(ValueError, match="not a count"):
        differential(counts, 100)


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    # Newcombe, Statistics in Medicine 1998, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_agrees_with_the_literature(successes, total, low, high):
    assert wilson(successes, total) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10_000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_wilson_holds_the_share_within_zero_and_one(pair):
    successes, total = pair
    low, high = wilson(successes, total)
    assert 0 <= low <= successes / total + 1e-12
    assert successes / total - 1e-12 <= high <= 1


@pytest.mark.parametrize("pair", [(1, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_what_is_no_proportion(pair):
    with pytest.raises(ValueError, match="not a proportion"):
        wilson(*pair)


@given(st.dictionaries(st.sampled_from(sorted(BY_CODE)), st.integers(0, 5000)))
def test_white_cell_percentages_add_up(counts):
    found = differential(counts, 100)
    if found.wbc_count:
        assert sum(present(row.percent) for row in found.white_cells) == pytest.approx(100)
    assert sum(row.count for row in (*found.white_cells, *found.others)) == sum(counts.values())


def test_a_count_is_full_where_the_lab_says():
    counts = {"neutrophil": 120, "lymphocyte": 80, "erythroblast": 300, UNIDENTIFIED: 300}
    assert [differential(counts, full).is_full for full in FULL_COUNTS] == [True, True, False]


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
