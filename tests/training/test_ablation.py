"""training.ablation: the table of what each defence brings, on drawn cells."""

from dataclasses import replace
from pathlib import Path

import pytest

from training import ablation
from training.config import Experiment, Stage
from training.data import load_images


def test_each_variant_is_scored_at_home_and_elsewhere(
    experiment: Experiment, cells: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = ("all defences", "no normalisation")
    monkeypatch.setattr(ablation, "VARIANTS", {name: ablation.VARIANTS[name] for name in chosen})
    home = load_images(cells)
    stages = (Stage(size=64, epochs=8, batch=8),)
    varied = replace(experiment, name="ablated")
    table = ablation.ablate(varied, stages, home, home, tmp_path)
    assert [row["variant"] for row in table] == list(chosen)
    for row in table:
        assert row["home"] > 0.5
        assert row["other lab"] == row["other lab, its classes"] > 0.5
        assert row["other lab, its classes, own batch norm"] > 0.5


def test_without_variation_a_slide_looks_as_it_is(experiment: Experiment) -> None:
    plain = ablation.VARIANTS["neither"](experiment)
    assert plain.normalisation is None
    assert plain.augmentation.noise == 0
    assert plain.augmentation.scale == experiment.augmentation.scale
