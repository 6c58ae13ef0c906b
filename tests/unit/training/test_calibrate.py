"""training.calibrate: temperature and review threshold."""

import numpy as np
import pytest

from training.calibrate import LOWEST_THRESHOLD, fit_temperature, review_threshold, softmax


def test_softmax_of_large_logits_is_finite() -> None:
    assert np.allclose(softmax(np.array([[1000.0, 1000.0, 0.0]])), [[0.5, 0.5, 0]])


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_temperature_undoes_a_known_scaling(factor: float) -> None:
    random = np.random.default_rng(3)
    logits = random.normal(0, 2, (3_000, 8))
    labels = np.array([random.choice(8, p=p) for p in softmax(logits)])
    assert fit_temperature(logits * factor, labels) == pytest.approx(factor, rel=0.08)


def graded(confidences: list[float], right: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that guess class 0 with these confidences, and labels that make each right or wrong."""
    return np.array([[c, 1 - c] for c in confidences]), np.array([0 if r else 1 for r in right])


def test_threshold_keeps_as_many_as_the_target_allows() -> None:
    # Down to .7 there is one mistake in five, at .6 there are two in six.
    cells = graded([0.95, 0.9, 0.8, 0.75, 0.7, 0.6], [True, True, False, True, True, False])
    assert review_threshold(*cells, target=0.8) == 0.7
    assert review_threshold(*cells, target=1.0) == 0.9


def test_equal_confidences_are_kept_or_flagged_together() -> None:
    cells = graded([0.9, 0.8, 0.8], [True, True, False])
    assert review_threshold(*cells, target=0.9) == 0.9


def test_threshold_has_a_floor_and_a_ceiling() -> None:
    flat = np.array([[0.4, 0.3, 0.3]] * 5)
    assert review_threshold(flat, np.zeros(5, np.int64), target=0.9) == LOWEST_THRESHOLD
    assert review_threshold(*graded([0.9, 0.8], [False, False]), target=0.9) == 1.0
