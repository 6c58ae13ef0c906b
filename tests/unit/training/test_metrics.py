"""training.metrics against values worked out by hand."""

import numpy as np
import pytest

from training.metrics import (
    confusion_matrix,
    coverage_at,
    expected_calibration_error,
    macro_f1,
    recall_by_class,
)

LABELS = np.array([0, 0, 0, 1, 1, 3])
GUESSES = np.array([0, 0, 1, 1, 2, 3])
CONFUSION = confusion_matrix(GUESSES, LABELS, 4)


def test_confusion_has_the_truth_in_rows() -> None:
    assert CONFUSION.tolist() == [[2, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1]]


def test_recall_is_unknown_for_an_absent_class() -> None:
    assert np.allclose(recall_by_class(CONFUSION), [2 / 3, 1 / 2, np.nan, 1], equal_nan=True)


def test_macro_f1_is_over_the_classes_present() -> None:
    assert macro_f1(CONFUSION) == pytest.approx(np.mean([4 / 5, 2 / 4, 1]))


def two_class(confidences: list[float]) -> np.ndarray:
    """Probabilities that guess class 0 with the given confidences."""
    return np.array([[c, 1 - c] for c in confidences])


def test_calibration_error_weighs_bins_by_their_size() -> None:
    probabilities = two_class([0.9, 0.9, 0.9, 0.6])
    labels = np.array([0, 0, 1, 0])  # bin of .9: accuracy 2/3; bin of .6: accuracy 1
    assert expected_calibration_error(probabilities, labels) == pytest.approx(
        0.75 * (0.9 - 2 / 3) + 0.25 * 0.4
    )
    assert expected_calibration_error(two_class([1.0, 1.0]), np.array([0, 0])) == 0


def test_coverage_counts_kept_cells_and_flagged_mistakes() -> None:
    result = coverage_at(0.7, two_class([0.9, 0.8, 0.7, 0.6, 0.55]), np.array([0, 1, 0, 1, 0]))
    assert result.coverage == pytest.approx(3 / 5)
    assert result.accuracy == pytest.approx(2 / 3)
    assert result.mistakes_flagged == pytest.approx(1 / 2)


def test_coverage_of_nothing_and_of_no_mistake() -> None:
    result = coverage_at(0.99, two_class([0.9, 0.8]), np.array([0, 0]))
    assert (result.coverage, result.accuracy, result.mistakes_flagged) == (0.0, 1.0, 1.0)
