"""training.studies.ablation: the table of what each defence brings, on drawn cells."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from training.config import Experiment, Stage
from training.data.images import load_images
from training.errors import TrainingError
from training.studies import ablation


def test_each_variant_is_scored_at_home_and_elsewhere_once(
    experiment: Experiment, cells: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chosen(*names: str) -> None:
        monkeypatch.setattr(ablation, "VARIANTS", {name: variants[name] for name in names})

    variants, home = ablation.VARIANTS, load_images(cells)
    stages = (Stage(size=64, epochs=8, batch=8),)
    varied = replace(experiment, name="ablated")

    chosen("all defences")
    first = json.loads(ablation.ablate(varied, stages, home, home, tmp_path).read_text())["variants"]
    chosen("all defences", "Reinhard instead of ours")
    (tmp_path / "ablated-all-defences" / "model.keras").unlink()  # it is not needed again
    table = json.loads(ablation.ablate(varied, stages, home, home, tmp_path).read_text())["variants"]
    assert table[0] == first[0]
    assert [row["variant"] for row in table] == ["all defences", "Reinhard instead of ours"]
    for row in table:
        assert row["home"] > 0.5
        assert row["other lab"] == row["other lab, its classes"] > 0.5
        assert row["other lab, its classes, own batch norm"] > 0.5
    with pytest.raises(TrainingError, match="other settings or images"):
        ablation.ablate(varied, ablation.short_stages(64, 2), home, home, tmp_path)


def test_without_variation_a_slide_looks_as_it_is(experiment: Experiment) -> None:
    plain = ablation.VARIANTS["neither"].change(experiment)
    assert plain.normalisation is None
    assert plain.augmentation.noise == 0
    assert plain.augmentation.scale == experiment.augmentation.scale
