"""training.studies.draws: commissioning tried on cells that are drawn, scored on those that are not."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.config import Experiment, Stage
from training.data.images import load_images
from training.errors import TrainingError
from training.studies.draws import drawn, score_draws


def test_each_class_gives_as_many_cells_and_one_picture_of_each(cells: Path) -> None:
    images = load_images(cells)
    paired = replace(images, cells=np.arange(len(images.labels)) // 2)
    rows = drawn(paired, 6, seed=0)
    assert np.bincount(images.labels[rows]).tolist() == [6] * 8
    assert len(set(paired.cells[rows])) == len(rows)
    assert set(rows) != set(drawn(paired, 6, seed=1))
    with pytest.raises(TrainingError, match="10 basophil cell"):
        drawn(paired, 10, seed=0)


def test_what_was_not_drawn_is_scored(
    base: Path, cells: Path, experiment: Experiment, tmp_path: Path
) -> None:
    images = load_images(cells)
    moved = replace(
        images, labels=(images.labels + 1) % 8, cells=np.arange(len(images.labels)) // 2, splits=images.splits
    )
    settings = replace(experiment, name="commission", stages=(Stage(size=224, epochs=12, batch=8),))
    findings = json.loads(score_draws(base, settings, moved, 5, 2, tmp_path).read_text(encoding="utf-8"))
    assert findings["version"] == "hematovision 1"
    assert [draw["pictures"] for draw in findings["draws"]] == [80, 80]
    assert findings["mean"]["as it came"] < 0.3
    assert findings["mean"]["new head alone"] > 0.6
    assert findings["mean"]["commissioned"] > 0.6
