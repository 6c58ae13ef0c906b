"""What a version is worth on one set of images: every score of the report, from arrays."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.metrics import roc_curve

from serving.contract import ModelInfo, is_unlike, is_unsure
from training.evaluation import measures
from training.evaluation.intervals import Bootstrap, Estimate
from training.evaluation.measures import Floats, Labels, Mask

BINS = 15
CURVE_POINTS = 200


@dataclass(frozen=True)
class ClassScores:
    """One class against the rest. Scores are None where not defined, for want of images or of guesses."""

    label: str
    images: int
    precision: Estimate
    recall: Estimate
    f1: Estimate
    roc_auc: Estimate
    roc_curve: list[tuple[float, float]]
    """False and true positive rate; empty where the set has images of this class alone, or none."""


@dataclass(frozen=True)
class ConfidenceBin:
    """The images whose confidence is in [low, high): their mean confidence, and the share that is right."""

    low: float
    high: float
    images: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Review:
    """What the rule of review (ModelInfo.flags) does: the cells it leaves unflagged need no second look."""

    coverage: Estimate
    """Share of cells that are not flagged."""
    unflagged_accuracy: Estimate
    mistakes_flagged: Estimate
    """Share of the wrong suggestions that are flagged; None where none is wrong."""
    unsure: int
    """Cells flagged for their confidence alone."""
    unlike: int
    """Cells flagged for their distance alone."""
    both: int
    wrong: int
    wrong_unflagged: int
    risk_coverage: list[tuple[float, float]]
    """Coverage and share of mistakes if the surest cells alone were kept, by confidence."""


@dataclass(frozen=True)
class Scores:
    """Of K classes; `confusion` [K,K] has the truth in rows. Macro averages are over the classes present."""

    images: int
    distinct_cells: int
    accuracy: Estimate
    accuracy_among_present: Estimate
    """Of the best guess among the classes that the set has; where it has all, the accuracy."""
    macro_precision: Estimate
    macro_recall: Estimate
    macro_f1: Estimate
    ece: Estimate
    review: Review
    by_class: list[ClassScores]
    confusion: list[list[int]]
    calibration: list[ConfidenceBin]

    @property
    def present(self) -> list[ClassScores]:
        """The classes that the set has images of."""
        return [scores for scores in self.by_class if scores.images]


def score(
    info: ModelInfo, probabilities: Floats, distance: Floats, labels: Labels, bootstrap: Bootstrap
) -> Scores:
    """Scores of probabilities [N,K] and distance [N]; labels [N] are indices into info.labels."""
    guesses, everything = probabilities.argmax(axis=1), np.ones(len(labels), bool)
    among_present = guesses_among(np.unique(labels), probabilities)

    def macro(of_class: measures.OfClass) -> Estimate:
        return bootstrap.estimate(lambda weights: measures.macro(of_class, guesses, labels, weights))

    return Scores(
        images=len(labels),
        distinct_cells=bootstrap.cells,
        accuracy=bootstrap.share(guesses == labels, everything),
        accuracy_among_present=bootstrap.share(among_present == labels, everything),
        macro_precision=macro(measures.precision),
        macro_recall=macro(measures.recall),
        macro_f1=macro(measures.f1),
        ece=bootstrap.estimate(
            partial(measures.expected_calibration_error, probabilities, labels, bins=BINS)
        ),
        review=_review(info, probabilities, distance, guesses == labels, bootstrap),
        by_class=[
            _class_scores(name, index, probabilities, labels, bootstrap)
            for index, name in enumerate(info.labels)
        ],
        confusion=measures.confusion_matrix(guesses, labels, len(info.labels)).tolist(),
        calibration=_calibration(probabilities, labels),
    )


def guesses_among(classes: Labels, probabilities: Floats) -> Labels:
    """The most probable of some of the classes, for probabilities or logits [N,K]: [N]."""
    guesses: Labels = classes[probabilities[:, classes].argmax(axis=1)]
    return guesses


def _class_scores(
    name: str, label: int, probabilities: Floats, labels: Labels, bootstrap: Bootstrap
) -> ClassScores:
    guesses = probabilities.argmax(axis=1)
    is_it, guessed = labels == label, guesses == label
    has_both = is_it.any() and not is_it.all()
    return ClassScores(
        label=name,
        images=int(is_it.sum()),
        precision=bootstrap.share(is_it, guessed),
        recall=bootstrap.share(guessed, is_it),
        # Of the images that are or were guessed to be of the class, both: as measures.f1.
        f1=bootstrap.share(is_it & guessed, is_it | guessed).map(lambda both: 2 * both / (1 + both)),
        roc_auc=bootstrap.estimate(partial(measures.roc_auc, probabilities[:, label], is_it)),
        roc_curve=_thinned(*roc_curve(is_it, probabilities[:, label])[:2]) if has_both else [],
    )


def _review(
    info: ModelInfo, probabilities: Floats, distance: Floats, right: Mask, bootstrap: Bootstrap
) -> Review:
    flagged = info.flags(probabilities, distance)
    unsure = is_unsure(probabilities.max(axis=1), info.review_threshold)
    unlike = is_unlike(distance)
    everything = np.ones(len(right), bool)
    return Review(
        coverage=bootstrap.share(~flagged, everything),
        unflagged_accuracy=bootstrap.share(right, ~flagged),
        mistakes_flagged=bootstrap.share(flagged, ~right),
        unsure=int((unsure & ~unlike).sum()),
        unlike=int((unlike & ~unsure).sum()),
        both=int((unsure & unlike).sum()),
        wrong=int((~right).sum()),
        wrong_unflagged=int((~right & ~flagged).sum()),
        risk_coverage=_thinned(*measures.risk_coverage(probabilities.max(axis=1), right)),
    )


def _calibration(probabilities: Floats, labels: Labels) -> list[ConfidenceBin]:
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bin_of = measures.calibration_bins(probabilities, BINS)
    return [
        ConfidenceBin(
            low=index / BINS,
            high=(index + 1) / BINS,
            images=int((bin_of == index).sum()),
            confidence=float(confidence[bin_of == index].mean()),
            accuracy=float(right[bin_of == index].mean()),
        )
        for index in np.unique(bin_of)
    ]


def _thinned(x: Floats, y: Floats) -> list[tuple[float, float]]:
    """At most CURVE_POINTS of a curve's points, its first and last among them."""
    kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), CURVE_POINTS)).round().astype(int))
    return [(round(float(x[index]), 5), round(float(y[index]), 5)) for index in kept]
