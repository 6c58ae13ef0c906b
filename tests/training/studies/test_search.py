"""training.studies.search: trials that resume, are cut short, and end in an experiment ready to train."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from training.config import Experiment, Range, Search, Stage, load_experiment
from training.errors import Diverged, TrainingError
from training.studies import search as module
from training.studies.search import search

STAGES = (Stage(size=32, epochs=4, batch=32),)
SPACE = {
    "optimiser.learning_rate": Range(low=1e-4, high=1e-2, log=True),
    "optimiser.warmup_steps": Range(low=2, high=9),
    "optimiser.class_weight_power": Range(choices=(0.0, 0.3)),
}


@pytest.fixture
def plan() -> Search:
    return Search(epochs=24, stages=STAGES, space=SPACE)


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[Experiment]:
    """What is trained, in place of training: the accuracy is the better, the closer the rate is to 0.005."""
    tried: list[Experiment] = []

    def fit(
        candidate: Experiment,
        images: object,
        decoded: object,
        runs: Path,
        *,
        on_epoch: Callable[[Sequence[Mapping[str, Any]]], None],
    ) -> Path:
        tried.append(candidate)
        run = runs / candidate.name
        run.mkdir()
        history: list[dict[str, float]] = []
        for epoch in range(candidate.stages[0].epochs):
            history.append(
                {"val_accuracy": 0.9 + epoch / 100 - abs(candidate.optimiser.learning_rate - 0.005)}
            )
            on_epoch(history)
        (run / "run.json").write_text(json.dumps({"history": history}))
        return run

    monkeypatch.setattr(module, "fit", fit)
    return tried


def test_the_best_found_becomes_an_experiment_with_its_own_stages(
    experiment: Experiment, plan: Search, fits: list[Experiment], tmp_path: Path
) -> None:
    path = search(experiment, plan, tmp_path)
    best = load_experiment(path)
    assert path == tmp_path / "small-search" / "small-best.yaml"
    assert (best.name, best.stages, best.data) == ("small-best", experiment.stages, experiment.data)
    rates = [tried.optimiser.learning_rate for tried in fits]
    assert best.optimiser.learning_rate == min(rates, key=lambda rate: abs(rate - 0.005))
    assert rates[0] == experiment.optimiser.learning_rate
    assert all(tried.stages == STAGES for tried in fits)
    assert all(isinstance(tried.optimiser.warmup_steps, int) for tried in fits)
    assert {tried.optimiser.class_weight_power for tried in fits} == {0.0, 0.3}
    assert {entry.name for entry in path.parent.iterdir()} == {"study.db", "small-best.yaml"}


def test_the_epochs_are_spent_hopeless_trials_are_cut_short_and_a_table_is_printed(
    experiment: Experiment,
    plan: Search,
    fits: list[Experiment],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    search(experiment, plan, tmp_path)
    printed = capsys.readouterr().out
    assert printed.count("finished") + printed.count("cut short") == len(fits)
    assert printed.count("cut short") >= 1
    assert 24 <= 4 * printed.count("finished") + 2 * printed.count("cut short") < 28


def test_an_interrupted_search_goes_on_with_the_same_trial_and_tries_nothing_twice(
    experiment: Experiment,
    plan: Search,
    fits: list[Experiment],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    complete: Callable[..., Path] = vars(module)["fit"]
    interrupted: list[Experiment] = []

    def fit(candidate: Experiment, *arguments: object, **keywords: object) -> Path:
        if len(fits) == 2 and not interrupted:
            interrupted.append(candidate)
            raise TrainingError("Interrupted at step 3")
        return complete(candidate, *arguments, **keywords)

    monkeypatch.setattr(module, "fit", fit)
    with pytest.raises(TrainingError, match="Interrupted at step 3"):
        search(experiment, plan, tmp_path)
    search(experiment, plan, tmp_path)
    assert fits[2] == interrupted[0]
    assert len({tried.name for tried in fits}) == len(fits)


def test_a_longer_search_goes_on_and_another_is_not_mixed_in(
    experiment: Experiment,
    varied: Callable[..., Experiment],
    plan: Search,
    fits: list[Experiment],
    tmp_path: Path,
) -> None:
    search(experiment, plan, tmp_path)
    before = len(fits)
    search(experiment, Search(epochs=32, stages=STAGES, space=SPACE), tmp_path)
    assert len(fits) > before
    with pytest.raises(TrainingError, match="holds a search with other settings or data"):
        search(varied(seed=12), plan, tmp_path)


def test_a_diverging_trial_is_left_behind(
    experiment: Experiment,
    plan: Search,
    fits: list[Experiment],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    complete: Callable[..., Path] = vars(module)["fit"]

    def fit(candidate: Experiment, images: object, decoded: object, runs: Path, **keywords: object) -> Path:
        if candidate.optimiser.learning_rate == experiment.optimiser.learning_rate:
            (runs / candidate.name).mkdir()
            raise Diverged("The loss is nan")
        return complete(candidate, images, decoded, runs, **keywords)

    monkeypatch.setattr(module, "fit", fit)
    best = load_experiment(search(experiment, plan, tmp_path))
    assert best.optimiser.learning_rate != experiment.optimiser.learning_rate


def test_a_search_without_a_finished_trial_says_so(
    experiment: Experiment, fits: list[Experiment], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fit(candidate: Experiment, images: object, decoded: object, runs: Path, **keywords: object) -> Path:
        (runs / candidate.name).mkdir()
        raise Diverged("The loss is nan")

    monkeypatch.setattr(module, "fit", fit)
    with pytest.raises(TrainingError, match="No trial was finished in 3 epochs"):
        search(experiment, Search(epochs=3, stages=STAGES, space=SPACE), tmp_path)


def test_trials_are_trained(experiment: Experiment, tmp_path: Path) -> None:
    plan = Search(
        epochs=3,
        stages=(Stage(size=32, epochs=2, batch=32),),
        space={"optimiser.dropout": Range(low=0.0, high=0.5)},
    )
    best = load_experiment(search(experiment, plan, tmp_path))
    assert 0 <= best.optimiser.dropout <= 0.5
    assert best.stages == experiment.stages
