"""training.evaluation.measures against values worked out by hand."""

import numpy as np
import pytest

from training.evaluation.measures import (
    calibration_bins,
    confusion_matrix,
    expected_calibration_error,
    f1,
    macro,
    mean,
    precision,
    recall,
    risk_coverage,
    roc_auc,
)

LABELS = np.array([0, 0, 0, 1, 1, 3])
GUESSES = np.array([0, 0, 1, 1, 2, 3])
TWICE_THE_THIRD = np.array([1, 1, 2, 1, 1, 1])


def two_class(confidences: list[float]) -> np.ndarray:
    """Probabilities that guess class 0 with the given confidences."""
    return np.array([[c, 1 - c] for c in confidences])


def test_confusion_has_the_truth_in_rows() -> None:
    confusion = confusion_matrix(GUESSES, LABELS, 4)
    assert confusion.tolist() == [[2, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1]]


def test_a_mean_is_over_some_images_only() -> None:
    values, among = np.array([1.0, 2.0, 30.0]), np.array([True, True, False])
    assert mean(values, among) == pytest.approx(1.5)
    assert mean(values, among, np.array([[1, 1, 1], [3, 1, 1]])) == pytest.approx([1.5, 1.25])
    assert np.isnan(mean(values, among, np.array([0, 0, 1])))


def test_recall_is_of_the_true_ones_and_not_defined_without_any() -> None:
    assert recall(GUESSES, LABELS, 0) == pytest.approx(2 / 3)
    assert recall(GUESSES, LABELS, 0, TWICE_THE_THIRD) == pytest.approx(2 / 4)
    assert np.isnan(recall(GUESSES, LABELS, 2))


def test_precision_is_of_the_guessed_ones_and_not_defined_without_any() -> None:
    assert precision(GUESSES, LABELS, 1) == pytest.approx(1 / 2)
    assert precision(GUESSES, LABELS, 1, TWICE_THE_THIRD) == pytest.approx(1 / 3)
    assert np.isnan(precision(np.zeros(6, int), LABELS, 3))


def test_f1_is_the_harmonic_mean() -> None:
    assert f1(GUESSES, LABELS, 0) == pytest.approx(2 * 1 * (2 / 3) / (1 + 2 / 3))
    assert f1(GUESSES, LABELS, 2) == 0


def test_macro_averages_are_over_the_classes_present() -> None:
    assert macro(f1, GUESSES, LABELS) == pytest.approx(np.mean([4 / 5, 2 / 4, 1]))
    assert macro(recall, GUESSES, LABELS) == pytest.approx(np.mean([2 / 3, 1 / 2, 1]))


def test_a_class_that_is_never_guessed_has_no_precision_to_average() -> None:
    assert macro(precision, np.zeros(6, int), LABELS) == pytest.approx(np.mean([3 / 6, 0, 0]))


def test_calibration_error_weighs_bins_by_their_size() -> None:
    probabilities = two_class([0.9, 0.9, 0.9, 0.6])
    labels = np.array([0, 0, 1, 0])  # bin of .9: accuracy 2/3; bin of .6: accuracy 1
    assert expected_calibration_error(probabilities, labels) == pytest.approx(
        0.75 * (0.9 - 2 / 3) + 0.25 * 0.4
    )
    assert expected_calibration_error(probabilities, labels, np.array([[1, 1, 0, 1]])) == pytest.approx(
        [2 / 3 * 0.1 + 1 / 3 * 0.4]
    )
    assert expected_calibration_error(two_class([1.0, 1.0]), np.array([0, 0])) == 0


def test_certainty_lies_in_the_last_bin() -> None:
    assert calibration_bins(two_class([1.0, 0.95, 0.5]), 10).tolist() == [9, 9, 5]


def test_the_area_counts_the_pairs_that_are_in_order() -> None:
    scores, positive = np.array([0.9, 0.8, 0.4, 0.4, 0.1]), np.array([1, 0, 1, 0, 0], bool)
    # .9 beats .8, .4 and .1; .4 beats .1 and ties with .4.
    assert roc_auc(scores, positive) == pytest.approx((3 + 1 + 0.5) / 6)
    # The same with the negative .8 drawn twice.
    assert roc_auc(scores, positive, np.array([[1, 2, 1, 1, 1]])) == pytest.approx([(4 + 1.5) / 8])


def test_the_area_needs_both_kinds() -> None:
    assert np.isnan(roc_auc(np.array([0.1, 0.9]), np.array([True, True])))
    assert np.isnan(roc_auc(np.array([0.1, 0.9]), np.array([False, False])))


def test_risk_rises_with_coverage_and_ties_are_kept_together() -> None:
    confidence, right = np.array([0.6, 0.9, 0.9, 0.7]), np.array([False, True, False, True])
    coverage, risk = risk_coverage(confidence, right)
    assert coverage.tolist() == [2 / 4, 3 / 4, 1]
    assert risk.tolist() == pytest.approx([1 / 2, 1 / 3, 2 / 4])
