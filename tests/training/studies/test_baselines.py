"""training.studies.baselines: simpler models learn what they can from drawn cells."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from serving.contract import CELL_LABELS
from training.config import Experiment
from training.evaluation.comparison import Baselines
from training.studies.baselines import colour_histograms, score_baselines


@pytest.fixture(scope="module")
def baselines(experiment: Experiment, cells: Path, tmp_path_factory: pytest.TempPathFactory) -> Baselines:
    runs = tmp_path_factory.mktemp("runs")
    return Baselines.load(score_baselines(cells, [cells], experiment, replace(experiment, seed=1), runs))


def test_every_model_is_scored_on_every_set(baselines: Baselines) -> None:
    assert [model.name for model in baselines.models] == [
        "Majority class",
        "Colours alone",
        "Small CNN",
        "Frozen backbone",
    ]
    assert all(set(model.scores) == {"drawn_test", "drawn"} for model in baselines.models)
    assert len(set(baselines.fingerprints.values())) == 1


def test_the_majority_class_is_right_on_its_own_cells_alone(baselines: Baselines) -> None:
    majority = baselines.models[0].scores["drawn"]
    assert majority.accuracy.value == pytest.approx(1 / len(CELL_LABELS))
    assert majority.macro_f1.value == pytest.approx((2 / 9) / len(CELL_LABELS))


def test_cells_that_differ_in_colour_are_told_by_colour(baselines: Baselines) -> None:
    accuracy = baselines.models[1].scores["drawn_test"].accuracy
    assert accuracy.value is not None
    assert accuracy.value > 0.9


def test_a_histogram_counts_the_colours_of_the_middle() -> None:
    picture = np.full((1, 14, 14, 3), 255, np.uint8)
    picture[0, 2:12, 2:7] = (255, 0, 0)  # the left half of the view
    picture[0, :2] = (0, 0, 255)  # outside it
    (found,) = colour_histograms(picture, np.array([0]))
    assert found.shape == (512,)
    white, red = 0b000_000_111, 0b000_111_111
    assert found[[white, red]] == pytest.approx(np.sqrt([0.5, 0.5]))
    assert np.square(found).sum() == pytest.approx(1)
