"""Cohen's kappa against values worked out by hand."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.hematology.agreement import agreed, cohens_kappa


def test_as_worked_out_by_hand():
    # 50 cells. By chance: 25·30 + 25·20 = 1250 of 2500, so 0.5; they agree on 35, so 0.7.
    pairs = {("n", "n"): 20, ("n", "l"): 5, ("l", "n"): 10, ("l", "l"): 15}
    assert agreed(pairs) == 35
    assert cohens_kappa(pairs) == pytest.approx((0.7 - 0.5) / (1 - 0.5)) == pytest.approx(0.4)


def test_three_classes_by_hand():
    # 100 cells, 80 on the diagonal. By chance: 50·45 + 30·35 + 20·20 = 3700 of 10000.
    pairs = {
        ("n", "n"): 42,
        ("n", "l"): 6,
        ("n", "m"): 2,
        ("l", "n"): 2,
        ("l", "l"): 24,
        ("l", "m"): 4,
        ("m", "n"): 1,
        ("m", "l"): 5,
        ("m", "m"): 14,
    }
    assert cohens_kappa(pairs) == pytest.approx((0.80 - 0.37) / 0.63)


@pytest.mark.parametrize(
    ("pairs", "kappa"),
    [
        ({}, None),  # no cell
        ({("n", "n"): 0}, None),
        ({("n", "n"): 7}, None),  # one class alone: chance would make them agree, too
        ({("n", "l"): 7}, 0),  # each one class, and another one: as chance would have it
        ({("n", "n"): 3, ("l", "l"): 4}, 1),
        ({("n", "l"): 1, ("l", "n"): 1}, -1),
        ({("n", "n"): 9, ("n", "l"): 1}, 0),  # one reader gave one class only
    ],
)
def test_at_the_edges(pairs, kappa):
    assert cohens_kappa(pairs) == kappa


def test_a_negative_count_is_none():
    with pytest.raises(ValueError, match="not a count"):
        cohens_kappa({("n", "n"): -1})


@given(st.lists(st.integers(0, 500), min_size=9, max_size=9))
def test_it_is_within_its_bounds_and_the_same_from_both_sides(counts):
    pairs = dict(zip(product("nlm", "nlm"), counts, strict=True))
    kappa = cohens_kappa(pairs)
    assert kappa == cohens_kappa({(second, first): n for (first, second), n in pairs.items()})
    if kappa is not None:
        assert -1 <= kappa <= 1
        assert (kappa == 1) == (agreed(pairs) == sum(pairs.values()))
