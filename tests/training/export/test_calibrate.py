"""training.export.calibrate: temperature and review threshold."""

import numpy as np
import pytest

from training.export.calibrate import (
    FAMILIAR,
    LOWEST_THRESHOLD,
    distance_limit,
    fit_temperature,
    least_images,
    review_threshold,
    softmax,
)


def test_softmax_of_large_logits_is_finite() -> None:
    assert np.allclose(softmax(np.array([[1000.0, 1000.0, 0.0]])), [[0.5, 0.5, 0]])


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_temperature_undoes_a_known_scaling(factor: float) -> None:
    random = np.random.default_rng(3)
    logits = random.normal(0, 2, (3_000, 8))
    labels = np.array([random.choice(8, p=p) for p in softmax(logits)])
    assert fit_temperature(logits * factor, labels) == pytest.approx(factor, rel=0.08)


def graded(confidences: list[float], right: list[bool]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities that guess class 0 with these confidences, labels that make right or wrong."""
    probabilities = np.array([[c, 1 - c] for c in confidences])
    return probabilities, np.array([0 if r else 1 for r in right]), np.ones(len(right), bool)


def test_threshold_keeps_as_many_as_can_be_shown_to_reach_the_target() -> None:
    # 1,000 sure cells with one mistake, and 1,000 less sure ones with ten: .999 and .9945 in all.
    confidences = [0.9] * 1000 + [0.6] * 1000
    right = [True] * 999 + [False] + [True] * 990 + [False] * 10
    assert review_threshold(*graded(confidences, right), target=0.99) == 0.6
    assert review_threshold(*graded(confidences, right), target=0.997) == 0.9
    assert review_threshold(*graded(confidences, right), target=0.999) == 1.0


def test_few_cells_show_little() -> None:
    # Without a mistake, 1 - CONFIDENCE = target ** count.
    count = least_images(0.95)
    assert count == 28
    assert review_threshold(*graded([0.9] * count, [True] * count), target=0.95) == 0.9
    assert review_threshold(*graded([0.9] * (count - 1), [True] * (count - 1)), target=0.95) == 1.0


def test_cells_flagged_for_their_distance_do_not_count() -> None:
    probabilities, labels, familiar = graded([0.9] * 40, [True] * 30 + [False] * 10)
    assert review_threshold(probabilities, labels, familiar, target=0.95) == 1.0
    familiar[30:] = False
    assert review_threshold(probabilities, labels, familiar, target=0.95) == 0.9


def test_equal_confidences_are_kept_or_flagged_together() -> None:
    cells = graded([0.9] * 30 + [0.8] * 30, [True] * 30 + [True] * 20 + [False] * 10)
    assert review_threshold(*cells, target=0.95) == 0.9


def test_threshold_has_a_floor_and_a_ceiling() -> None:
    flat = np.array([[0.4, 0.3, 0.3]] * 40)
    assert review_threshold(flat, np.zeros(40, np.int64), np.ones(40, bool), target=0.9) == LOWEST_THRESHOLD
    assert review_threshold(*graded([0.9, 0.8], [False, False]), target=0.9) == 1.0


def test_the_distance_limit_keeps_nearly_all() -> None:
    assert distance_limit(np.arange(1001.0)) == pytest.approx(1000 * FAMILIAR)
