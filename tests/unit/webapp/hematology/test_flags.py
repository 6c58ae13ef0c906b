from decimal import Decimal

import pytest

from webapp.hematology.flags import Flag, Limits, by_weight, is_within_counting_error, judged

D = Decimal

LIMITS = Limits(low=D("1.8"), high=D("7.7"), critical_low=D("0.5"), critical_high=D(30))


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        ("0", "LL"),
        ("0.49", "LL"),
        ("0.5", "L"),
        ("1.79", "L"),
        ("1.8", None),
        ("7.7", None),
        ("7.71", "H"),
        ("30", "H"),
        ("30.01", "HH"),
    ],
)
def test_a_value_on_a_limit_is_within_it(value, flag):
    assert judged(D(value), LIMITS) == flag


@pytest.mark.parametrize("value", ["0", "1000000"])
def test_what_has_no_limit_is_never_beyond_it(value):
    assert judged(D(value), Limits()) is None


@pytest.mark.parametrize(
    ("flag", "low", "high", "near"),
    [
        (Flag.HIGH, "7.2", "8.9", True),
        (Flag.HIGH, "7.8", "8.9", False),
        (Flag.LOW, "1.2", "1.8", True),
        (Flag.CRITICAL_LOW, "0.1", "0.4", False),
        (Flag.ABNORMAL, "0", "100", False),
    ],
)
def test_near_is_what_more_cells_might_have_shown_within(flag, low, high, near):
    assert is_within_counting_error(flag, LIMITS, D(low), D(high)) is near


def test_what_has_no_interval_is_near_nothing():
    assert not is_within_counting_error(Flag.HIGH, LIMITS, None, None)


def test_what_matters_most_comes_first_and_once():
    assert by_weight([Flag.HIGH, Flag.ABNORMAL, Flag.HIGH, Flag.CRITICAL_LOW]) == ("LL", "A", "H")
