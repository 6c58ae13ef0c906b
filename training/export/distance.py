"""How far a cell lies from the training cells of its suggested class: the measure of what cannot be known.

Mahalanobis distance to the class mean under one shared covariance (Lee et al., NeurIPS 2018), of embeddings
on their principal axes. A stain or an object never seen moves the embedding away from every class, however
sure the softmax may be. A class without training cells lies nowhere, so that a suggestion of it is always
far.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serving.contract import CELL_LABELS
from training.evaluation.measures import Floats, Labels

AXES = 128
RIDGE = 0.05  # of the mean variance within classes, added to every axis
NOWHERE = 1e4  # standard deviations; finite, as answers travel as JSON


@dataclass(frozen=True)
class TrainingCells:
    """Where the cells of each class lie.

    Attributes:
        projection: float32 [D,P]; in the space it maps embeddings to, classes have unit covariance.
        means: float32 [K,P], one for each of CELL_LABELS.
    """

    projection: NDArray[np.float32]
    means: NDArray[np.float32]

    def distances(self, embeddings: Floats, suggested: Labels) -> Floats:
        """Distance of each embedding [N,D] to its suggested class [N], in standard deviations: [N]."""
        distances: Floats = np.linalg.norm(embeddings @ self.projection - self.means[suggested], axis=1)
        return distances


def locate(embeddings: Floats, labels: Labels) -> TrainingCells:
    """Class means and shared covariance of training embeddings [N,D] with labels [N]."""
    present, index = np.unique(labels, return_inverse=True)
    means = np.stack([embeddings[labels == label].mean(axis=0) for label in present]).astype(np.float64)
    centred = embeddings - embeddings.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :AXES]
    within = (embeddings - means[index]) @ axes
    covariance = within.T @ within / len(within)
    covariance += RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    values, vectors = np.linalg.eigh(covariance)
    projection = axes @ (vectors / np.sqrt(values))
    placed = np.full((len(CELL_LABELS), projection.shape[1]), NOWHERE)
    placed[present] = means @ projection
    return TrainingCells(projection.astype(np.float32), placed.astype(np.float32))
