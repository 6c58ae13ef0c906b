"""Intervals of proportions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.hematology.intervals import wilson


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


@given(st.integers(1, 100_000))
def test_of_none_and_of_all_the_interval_ends_where_a_share_can(total):
    assert wilson(0, total)[0] == 0.0
    assert wilson(total, total)[1] == 1.0


@pytest.mark.parametrize("pair", [(1, 0), (-1, 5), (6, 5)])
def test_wilson_rejects_what_is_no_proportion(pair):
    with pytest.raises(ValueError, match="not a proportion"):
        wilson(*pair)
