"""Absolute values, against values computed by hand."""

from decimal import Decimal

import pytest

from webapp.hematology.absolute import absolute, corrected_wbc, per_100

D = Decimal


@pytest.mark.parametrize(
    ("wbc", "nrbc", "is_corrected", "expected"),
    [
        ("10", "25", False, "8"),  # 10 × 100 / 125
        ("12.6", "5", False, "12"),  # at the threshold: 12.6 × 100 / 105
        ("12.6", "4.9", False, "12.6"),  # below it
        ("30", "200", False, "10"),  # more erythroblasts than white cells: 30 × 100 / 300
        ("10", "25", True, "10"),  # never twice
        ("10", "0", None, "10"),
        ("10", None, None, "10"),
        ("0", "25", False, "0"),
        ("10", "25", None, None),  # it must be asked first
        ("10", "1", None, None),
    ],
)
def test_white_cells_are_corrected_once(wbc, nrbc, is_corrected, expected):
    found = corrected_wbc(D(wbc), None if nrbc is None else D(nrbc), is_corrected=is_corrected)
    assert found == (None if expected is None else D(expected))


def test_a_lab_may_correct_from_the_first_erythroblast_on():
    found = corrected_wbc(D("10.1"), D(1), is_corrected=False, correct_from=D(1))
    assert found == D(10)  # 10.1 × 100 / 101


@pytest.mark.parametrize(
    ("wbc", "percent", "expected"),
    [
        ("7.2", "55", "3.96"),
        ("10", "20", "2.00"),
        ("4.5", "0.5", "0.02"),  # 0.0225
        ("4.5", "1.5", "0.07"),  # 0.0675
        ("0.5", "1", "0.01"),  # 0.005 is rounded away from nought
        ("0", "55", "0.00"),
        ("1000000", "12.5", "125000.00"),
    ],
)
def test_absolute_is_the_share_of_the_white_cells(wbc, percent, expected):
    assert str(absolute(D(wbc), D(percent))) == expected


def test_a_share_is_exact():
    assert per_100(40, 200) == 20
    assert per_100(3, 8) == D("37.5")
    assert per_100(5, 0) is None
