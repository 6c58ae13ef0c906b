"""How far a cell lies from those a version was trained on: the measure of what it cannot know.

Mahalanobis distance to the nearest class mean under one shared covariance (Lee et al., NeurIPS 2018), of embeddings
on their principal axes. A stain or an object never seen moves the embedding where no class is, however
sure the softmax may be.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.metrics import Floats, Labels

AXES = 128
RIDGE = 0.05  # of the mean variance within classes, added to every axis


@dataclass(frozen=True)
class TrainingCells:
    """Where the cells of each class lie.

    Attributes:
        projection: float32 [D,P]; in the space it maps embeddings to, classes have unit covariance.
        means: float32 [C,P], one for each class that has cells.
    """

    projection: NDArray[np.float32]
    means: NDArray[np.float32]

    def distances(self, embeddings: Floats) -> Floats:
        """Distance of each embedding [N,D] to the nearest class mean, in standard deviations: [N]."""
        points = embeddings @ self.projection
        return np.sqrt(((points[:, None] - self.means[None]) ** 2).sum(axis=2).min(axis=1))


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
    return TrainingCells(projection.astype(np.float32), (means @ projection).astype(np.float32))
