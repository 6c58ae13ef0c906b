"""training.evaluation.intervals: what a draw is, and what it cannot say."""

from dataclasses import astuple

import numpy as np
import pytest

from tests.support.present import present
from training.evaluation.intervals import Bootstrap, Estimate

LABELS = np.repeat([0, 1], [100, 50])
EVERYTHING = np.ones(150, bool)


@pytest.fixture
def bootstrap() -> Bootstrap:
    return Bootstrap(LABELS, np.arange(150))


def test_the_value_is_that_of_the_images_as_they_are(bootstrap: Bootstrap) -> None:
    weights = []

    def mean(drawn: np.ndarray) -> np.ndarray:
        weights.append(drawn)
        return np.asarray(drawn @ np.arange(150) / 150)

    estimate = bootstrap.estimate(mean)
    assert estimate.value == pytest.approx(74.5)
    assert np.array_equal(weights[0][0], np.ones(150))
    assert weights[0].shape == (1001, 150)


def test_each_draw_has_as_many_of_a_class_as_the_images(bootstrap: Bootstrap) -> None:
    def of_class(weights: np.ndarray) -> np.ndarray:
        assert np.all(weights[:, :100].sum(axis=1) == 100)
        assert np.all(weights[:, 100:].sum(axis=1) == 50)
        return weights[:, 0]

    bootstrap.estimate(of_class)


def test_the_interval_of_a_share_is_that_of_the_binomial(bootstrap: Bootstrap) -> None:
    hits = np.arange(150) % 100 < 80  # 80 of 100 in the first class
    estimate = bootstrap.share(hits, LABELS == 0)
    deviation = np.sqrt(0.8 * 0.2 / 100)
    assert estimate.value == pytest.approx(0.8)
    assert estimate.low == pytest.approx(0.8 - 1.96 * deviation, abs=0.015)
    assert estimate.high == pytest.approx(0.8 + 1.96 * deviation, abs=0.015)


def test_pictures_of_one_cell_are_drawn_together_and_widen_the_interval(bootstrap: Bootstrap) -> None:
    ten_each = Bootstrap(LABELS, np.arange(150) // 10)
    hits = np.arange(150) % 100 < 80
    assert (ten_each.cells, bootstrap.cells) == (15, 150)
    one, other = (drawn.share(hits, LABELS == 0) for drawn in (ten_each, bootstrap))
    assert one.value == other.value
    assert present(one.high) - present(one.low) > 2 * (present(other.high) - present(other.low))


def test_without_a_mistake_the_bound_is_the_exact_one(bootstrap: Bootstrap) -> None:
    always, never = bootstrap.share(EVERYTHING, EVERYTHING), bootstrap.share(~EVERYTHING, LABELS == 1)
    assert astuple(always) == (1.0, pytest.approx(0.025 ** (1 / 150)), 1.0)
    assert astuple(never) == (0.0, 0.0, pytest.approx(1 - 0.025 ** (1 / 50)))
    of_cells = Bootstrap(LABELS, np.arange(150) // 10).share(EVERYTHING, EVERYTHING)
    assert of_cells.low == pytest.approx(0.025 ** (1 / 15))


def test_what_is_not_defined_has_no_interval(bootstrap: Bootstrap) -> None:
    assert bootstrap.share(EVERYTHING, ~EVERYTHING) == Estimate(None, None, None)
    assert Estimate(None, None, None).map(lambda share: 2 * share) == Estimate(None, None, None)


def test_the_same_seed_draws_the_same(bootstrap: Bootstrap) -> None:
    again, other = Bootstrap(LABELS, np.arange(150)), Bootstrap(LABELS, np.arange(150), seed=1)
    hits = np.arange(150) % 3 > 0
    assert bootstrap.share(hits, EVERYTHING) == again.share(hits, EVERYTHING)
    assert bootstrap.share(hits, EVERYTHING) != other.share(hits, EVERYTHING)
