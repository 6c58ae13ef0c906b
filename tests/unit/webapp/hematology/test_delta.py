"""Changes between two results, against values computed by hand."""

from datetime import timedelta
from decimal import Decimal

import pytest

from webapp.hematology.delta import Expected, is_marked, relative

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("before", "now", "percent"),
    [
        ("4.00", "6.00", Decimal(50)),
        ("4.00", "1.00", Decimal(-75)),
        ("0.08", "0.10", Decimal(25)),
        ("4.00", "4.00", Decimal(0)),
        ("0", "3.00", None),
        ("0", "0", None),
    ],
)
def test_a_change_in_per_cent_of_what_it_was(before, now, percent):
    assert relative(Decimal(before), Decimal(now)) == percent


@pytest.mark.parametrize(
    ("before", "now", "days", "is_expected"),
    [
        ("40.0", "60.0", 30, True),  # 20.0, the least that is marked
        ("40.0", "59.9", 30, False),
        ("60.0", "40.0", 30, True),  # a fall as well
        ("40.0", "60.0", 31, False),  # too long ago
        ("40.0", "90.0", 0, True),
    ],
)
def test_an_absolute_limit(before, now, days, is_expected):
    expected = Expected(Decimal(20), is_relative=False, days=30)
    assert is_marked(Decimal(before), Decimal(now), days * DAY, expected) is is_expected


@pytest.mark.parametrize(
    ("before", "now", "is_expected"),
    [
        ("2.00", "3.00", True),  # 50 %
        ("2.00", "2.99", False),  # 49.5 %
        ("2.00", "1.00", True),
        ("3.00", "2.00", False),  # 33.3 %: of what it was, not of what it is
        ("0", "9.99", False),  # nothing cannot grow by a share
    ],
)
def test_a_relative_limit(before, now, is_expected):
    expected = Expected(Decimal(50), is_relative=True, days=7)
    assert is_marked(Decimal(before), Decimal(now), 7 * DAY, expected) is is_expected


def test_to_the_second():
    expected = Expected(Decimal(1), is_relative=False, days=7)
    assert is_marked(Decimal(1), Decimal(2), 7 * DAY, expected)
    assert not is_marked(Decimal(1), Decimal(2), 7 * DAY + timedelta(seconds=1), expected)
