"""training.export.distance: how far a cell lies from the training cells of the class suggested for it."""

import numpy as np
import pytest

from serving.contract import CELL_LABELS
from training.export.distance import NOWHERE, TrainingCells, locate


@pytest.fixture(scope="module")
def classes() -> tuple[np.ndarray, np.ndarray]:
    """Two classes far apart on one axis; another axis on which all cells vary ten times as much."""
    random = np.random.default_rng(1)
    labels = np.repeat([1, 4], 400)
    embeddings = random.normal(size=(800, 6)) * [1, 10, 1, 1, 1, 1]
    embeddings[:, 0] += np.where(labels == 1, -20, 20)
    return embeddings.astype(np.float32), labels


@pytest.fixture(scope="module")
def cells(classes: tuple[np.ndarray, np.ndarray]) -> TrainingCells:
    return locate(*classes)


def test_a_distance_counts_standard_deviations(cells: TrainingCells) -> None:
    mean = np.array([-20, 0, 0, 0, 0, 0], np.float32)
    along, across = mean.copy(), mean.copy()
    along[1] += 30
    across[2] += 3
    distances = cells.distances(np.stack([mean, along, across]), np.array([1, 1, 1]))
    assert distances[0] < 0.7
    assert distances[1] == pytest.approx(3, abs=0.7)
    # The ridge, a share of the mean variance, counts a little for an axis of low variance.
    assert 1 < distances[2] < 3


def test_it_is_measured_from_the_suggested_class(classes, cells: TrainingCells) -> None:
    embeddings, labels = classes
    other = np.where(labels == 1, 4, 1)
    assert cells.distances(embeddings, labels).max() * 2 < cells.distances(embeddings, other).min()


def test_a_class_without_training_cells_is_out_of_reach(classes, cells: TrainingCells) -> None:
    embeddings, _ = classes
    absent = np.full(len(embeddings), CELL_LABELS.index("platelet"))
    distances = cells.distances(embeddings, absent)
    assert distances.min() > NOWHERE / 2
    assert np.isfinite(distances).all()
