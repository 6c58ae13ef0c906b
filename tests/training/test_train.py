"""training.train: interruption, resumption and refusal."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from training import train as module
from training.config import Data, Experiment
from training.errors import TrainingError
from training.train import class_weights, train


def weights(run: Path) -> list[np.ndarray]:
    return keras.saving.load_model(run / "model.keras", compile=False).get_weights()


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes the next run stop, as by Ctrl-C, before step `number`; later runs go through."""

    def arm(number: int) -> None:
        original = module._Trainer.step

        def step(trainer, step, images, labels):
            if step.number == number:
                monkeypatch.setattr(module._Trainer, "step", original)
                raise KeyboardInterrupt
            return original(trainer, step, images, labels)

        monkeypatch.setattr(module._Trainer, "step", step)

    return arm


@pytest.mark.parametrize("number", [3, 10])
def test_an_interrupted_run_ends_as_an_unbroken_one(
    experiment: Experiment, interrupt: Callable[[int], None], tmp_path: Path, number: int
) -> None:
    unbroken = train(experiment, tmp_path / "unbroken")
    interrupt(number)
    with pytest.raises(TrainingError, match=f"Interrupted at step {number} of 14. The same command goes on"):
        train(experiment, tmp_path / "broken")
    resumed = train(experiment, tmp_path / "broken")
    for one, other in zip(weights(unbroken), weights(resumed), strict=True):
        assert np.allclose(one, other, atol=1e-5)
    history = json.loads((resumed / "run.json").read_text())["history"]
    assert [(entry["step"], entry["size"]) for entry in history] == [(7, 32), (14, 48)]


def test_a_finished_run_is_not_repeated(experiment: Experiment, tmp_path: Path) -> None:
    run = train(experiment, tmp_path)
    written = (run / "model.keras").stat().st_mtime_ns
    assert train(experiment, tmp_path) == run
    assert (run / "model.keras").stat().st_mtime_ns == written


def test_the_record_tells_what_made_the_model(experiment: Experiment, tmp_path: Path) -> None:
    record = json.loads((train(experiment, tmp_path) / "run.json").read_text())
    assert record["experiment"] == experiment.as_dict()
    assert all(len(record["fingerprints"][key]) == 64 for key in ("data", "code"))
    assert record["trained_at"].endswith("+00:00")


def test_a_run_folder_of_other_settings_or_data_is_left_alone(
    experiment: Experiment, varied: Callable[..., Experiment], tmp_path: Path
) -> None:
    record = train(experiment, tmp_path) / "run.json"
    with pytest.raises(TrainingError, match="other settings"):
        train(varied(seed=12), tmp_path)
    document = json.loads(record.read_text())
    document["fingerprints"]["data"] = "0" * 64
    record.write_text(json.dumps(document))
    with pytest.raises(TrainingError, match="begun on other data"):
        train(experiment, tmp_path)


def test_a_diverging_run_stops(
    varied: Callable[..., Experiment], experiment: Experiment, tmp_path: Path
) -> None:
    wild = replace(experiment.optimiser, learning_rate=1e30, warmup_steps=0)
    with pytest.raises(TrainingError, match=r"The loss is .* Lower optimiser\.learning_rate"):
        train(varied(optimiser=wild), tmp_path)


def test_missing_data_are_named_before_anything_is_made(
    varied: Callable[..., Experiment], tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match="no data folder"):
        train(varied(data=Data(root=tmp_path / "absent")), tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_class_weights_favour_the_rare_and_keep_the_mean() -> None:
    labels = np.repeat([0, 1, 5], [400, 100, 25])
    weights = class_weights(labels, 0.5)
    assert weights[1] / weights[0] == pytest.approx(2)
    assert weights[5] / weights[0] == pytest.approx(4)
    assert weights[labels].mean() == pytest.approx(1)
    assert weights[2] == 0
    assert np.allclose(class_weights(labels, 0)[[0, 1, 5]], 1)
