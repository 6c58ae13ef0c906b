"""training.evaluation.scores against values worked out by hand, and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from serving.contract import CELL_LABELS
from tests.support.answers import version
from training.evaluation.intervals import Bootstrap
from training.evaluation.measures import roc_auc
from training.evaluation.scores import Scores, guesses_among, score

BASOPHIL, EOSINOPHIL, PLATELET = (CELL_LABELS.index(name) for name in ("basophil", "eosinophil", "platelet"))


def probabilities(*rows: dict[int, float]) -> np.ndarray:
    """A row per image: probabilities of some classes, the rest shared by the others."""
    result = np.empty((len(rows), len(CELL_LABELS)), np.float32)
    for row, given in zip(result, rows, strict=True):
        row[:] = (1 - sum(given.values())) / (len(CELL_LABELS) - len(given))
        row[list(given)] = list(given.values())
    return result


LABELS = np.array([BASOPHIL] * 4 + [EOSINOPHIL] * 2)
PROBABILITIES = probabilities(
    {BASOPHIL: 0.99},
    {BASOPHIL: 0.95},
    {BASOPHIL: 0.6},
    {PLATELET: 0.91, BASOPHIL: 0.05},
    {EOSINOPHIL: 0.97},
    {BASOPHIL: 0.5, EOSINOPHIL: 0.4},
)
DISTANCE = np.array([0.2, 1.4, 1.2, 0.9, 0.3, 0.4], np.float32)


@pytest.fixture(scope="module")
def scores() -> Scores:
    return score(version(), PROBABILITIES, DISTANCE, LABELS, Bootstrap(LABELS, np.arange(6)))


def test_accuracy_counts_guesses_of_absent_classes_as_mistakes(scores: Scores) -> None:
    assert scores.images == scores.distinct_cells == 6
    assert scores.accuracy.value == pytest.approx(4 / 6)
    assert scores.accuracy_among_present.value == pytest.approx(5 / 6)
    assert [one.label for one in scores.present] == ["basophil", "eosinophil"]


def test_what_the_rule_of_review_does(scores: Scores) -> None:
    review = scores.review
    assert review.coverage.value == pytest.approx(3 / 6)
    assert review.unflagged_accuracy.value == pytest.approx(2 / 3)
    assert review.mistakes_flagged.value == pytest.approx(1 / 2)
    assert (review.unsure, review.unlike, review.both) == (1, 1, 1)
    assert (review.wrong, review.wrong_unflagged) == (2, 1)
    assert review.risk_coverage[-1] == pytest.approx((1, 2 / 6), abs=1e-5)
    assert review.risk_coverage[2] == pytest.approx((3 / 6, 0))


def test_by_class(scores: Scores) -> None:
    basophil, eosinophil, platelet = (scores.by_class[label] for label in (BASOPHIL, EOSINOPHIL, PLATELET))
    assert (basophil.images, eosinophil.images, platelet.images) == (4, 2, 0)
    assert basophil.precision.value == pytest.approx(3 / 4)
    assert basophil.recall.value == pytest.approx(3 / 4)
    assert eosinophil.precision.value == 1
    assert eosinophil.recall.value == pytest.approx(1 / 2)
    assert eosinophil.f1.value == pytest.approx(2 / 3)
    # .97 and .4 against at most .07: every pair is in order; the basophils lose .05 against .5.
    assert eosinophil.roc_auc.value == 1
    assert basophil.roc_auc.value == pytest.approx(7 / 8)
    assert scores.macro_f1.value == pytest.approx((3 / 4 + 2 / 3) / 2)
    assert scores.confusion[BASOPHIL][PLATELET] == 1


def test_what_is_not_defined_is_none(scores: Scores) -> None:
    absent = scores.by_class[PLATELET]
    assert absent.recall.value is absent.roc_auc.value is None
    assert absent.roc_curve == []
    assert absent.precision.value == 0  # one was guessed
    everything_flagged = score(
        version(), PROBABILITIES, DISTANCE + 2, LABELS, Bootstrap(LABELS, np.arange(6))
    )
    assert everything_flagged.review.unflagged_accuracy.value is None
    only = np.zeros(4, int)
    alone = score(version(), PROBABILITIES[:4], DISTANCE[:4], only, Bootstrap(only, np.arange(4)))
    assert alone.by_class[BASOPHIL].roc_auc.value is None


def test_no_mistake_flagged_is_not_all_mistakes_flagged() -> None:
    right = score(version(), PROBABILITIES[:1], DISTANCE[:1], LABELS[:1], Bootstrap(LABELS[:1], np.arange(1)))
    assert right.review.wrong == 0
    assert right.review.mistakes_flagged.value is None


def test_calibration_bins_hold_every_image(scores: Scores) -> None:
    assert sum(one.images for one in scores.calibration) == 6
    (surest,) = (one for one in scores.calibration if one.high == 1)
    assert (surest.images, surest.accuracy) == (3, 1)  # .99, .95 and .97; .91 is below 14/15
    assert surest.confidence == pytest.approx((0.99 + 0.95 + 0.97) / 3)


def test_the_best_guess_among_some_classes() -> None:
    assert guesses_among(np.array([BASOPHIL, EOSINOPHIL]), PROBABILITIES).tolist() == [0, 0, 0, 0, 1, 0]


def test_scikit_learn_agrees_on_many_images() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 8, 400)
    logits = random.normal(size=(400, 8)).round(1)  # rounded: ties
    logits[np.arange(400), labels] += 1.5
    given = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    ours = score(version(), given, np.zeros(400), labels, Bootstrap(labels, np.arange(400), draws=10))
    theirs = precision_recall_fscore_support(labels, given.argmax(axis=1))
    for name, values in zip(("precision", "recall", "f1"), theirs[:3], strict=True):
        assert [getattr(one, name).value for one in ours.by_class] == pytest.approx(values)
    for label, one in enumerate(ours.by_class):
        assert one.roc_auc.value == pytest.approx(roc_auc_score(labels == label, given[:, label]))
    weights = random.integers(0, 4, 400).astype(float)
    assert roc_auc(given[:, 0], labels == 0, weights) == pytest.approx(
        roc_auc_score(labels == 0, given[:, 0], sample_weight=weights)
    )
