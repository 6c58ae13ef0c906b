"""What a report shows of single cells: the worst mistakes, and where the evidence lies."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serving.contract import DISTANCE, PROBABILITIES, ModelInfo
from training.evaluation.inference import Outputs
from training.evaluation.measures import Floats, Labels, Mask
from training.evaluation.pictures import data_uri, with_evidence

MISTAKES = 24
EXAMPLES = 6

PictureOf = Callable[[int], NDArray[np.uint8]]
"""The picture uint8 [S,S,3] of an image, by its number."""


@dataclass(frozen=True)
class Mistake:
    """A wrong suggestion. `picture` is a data URI, for the report alone."""

    file: str
    truth: str
    suggestion: str
    confidence: float
    distance: float
    flagged: bool
    picture: str


@dataclass(frozen=True)
class Example:
    """A correctly named cell under the evidence for its class. `picture` as in Mistake."""

    file: str
    label: str
    picture: str


def worst_mistakes(
    info: ModelInfo, outputs: Outputs, labels: Labels, files: Sequence[str], picture_of: PictureOf
) -> tuple[Mistake, ...]:
    """Of the wrong suggestions for N images, those that nobody would look at first, then by confidence."""
    probabilities, distance = outputs[PROBABILITIES], outputs[DISTANCE]
    guesses, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    flagged = info.flags(probabilities, distance)
    wrong = np.flatnonzero(guesses != labels)
    worst = wrong[np.lexsort((-confidence[wrong], flagged[wrong]))][:MISTAKES]
    return tuple(
        Mistake(
            file=files[index],
            truth=info.labels[labels[index]],
            suggestion=info.labels[guesses[index]],
            confidence=float(confidence[index]),
            distance=float(distance[index]),
            flagged=bool(flagged[index]),
            picture=data_uri(picture_of(index)),
        )
        for index in worst
    )


def evidence_examples(
    info: ModelInfo,
    maps: Floats,
    masks: Sequence[Mask | None],
    labels: Labels,
    eligible: Mask,
    files: Sequence[str],
    picture_of: PictureOf,
) -> tuple[Example, ...]:
    """Of the `eligible` among N images, which have masks, some drawn by lot, each of another class.

    `maps` [N,h,w] is the evidence for the class of each.
    """
    lot = np.random.default_rng(0).permutation(np.flatnonzero(eligible))
    _, first_of_class = np.unique(labels[lot], return_index=True)
    return tuple(
        Example(
            file=files[index],
            label=info.labels[labels[index]],
            picture=data_uri(with_evidence(picture_of(index), maps[index], mask)),
        )
        for index in lot[np.sort(first_of_class)[:EXAMPLES]]
        if (mask := masks[index]) is not None
    )
