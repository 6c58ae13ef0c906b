"""Search for better settings of an experiment: short trials, the hopeless cut shorter, the best written."""

import hashlib
import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
import optuna
import yaml
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console
from rich.table import Table

from training.config import Experiment, Range, Search, value_of, with_settings
from training.data.images import CellImages, Pictures, load_images, pixels
from training.errors import Diverged, TrainingError
from training.files import write_whole
from training.fitting.loop import RUN_FILE, fit

log = logging.getLogger(__name__)

# Trials that are never cut short, to know what is usual; epochs that each trial has at least.
USUAL_TRIALS = 4
LEAST_EPOCHS = 2
_ENDS = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "cut short",
    TrialState.FAIL: "broken off",
}


def search(experiment: Experiment, plan: Search, runs: Path) -> Path:
    """Train trials until the epochs of `plan` are spent; the first has the experiment's own settings.

    A trial is worth its best accuracy on the validation images. The settings of the next are drawn by what
    was found so far (TPE: Bergstra et al., NeurIPS 2011); one that is below the median of the others after as
    many epochs is cut short (Golovin et al., KDD 2017). What was tried is kept in
    `runs`/<name>-search/study.db: the same command goes on where it was interrupted, also with more epochs.

    Returns:
        The experiment with the best settings found, as a YAML file ready to train.

    Raises:
        TrainingError: as train; a search of this name had other settings or data; or no trial was finished.
    """
    images = load_images(experiment.data.root, seed=experiment.seed)
    decoded = {stage.size: pixels(images, stage.size, runs / "cache") for stage in plan.stages}
    folder = runs / f"{experiment.name}-search"
    folder.mkdir(parents=True, exist_ok=True)
    study = _open_study(folder, experiment, plan, images)
    while (spent := sum(_epochs(trial) for trial in study.trials)) < plan.epochs:
        log.info("%d of %d epochs spent.", spent, plan.epochs)
        trial = study.ask()
        settings = {name: _suggest(trial, experiment, name, span) for name, span in plan.space.items()}
        candidate = with_settings(replace(experiment.shortened(plan.stages), name=_name(settings)), settings)
        try:
            study.tell(trial, _worth(trial, candidate, images, decoded, folder))
        except optuna.TrialPruned:
            study.tell(trial, state=TrialState.PRUNED)
        except Diverged as error:
            log.info("%s", error)
            study.tell(trial, state=TrialState.FAIL)
        shutil.rmtree(folder / candidate.name)
    Console().print(_table(study, plan))
    if not study.get_trials(deepcopy=False, states=[TrialState.COMPLETE]):
        raise TrainingError(f"No trial was finished in {plan.epochs} epochs. Set search.epochs higher.")
    best = with_settings(replace(experiment, name=f"{experiment.name}-best"), study.best_params)
    return _write(best, study, folder / f"{best.name}.yaml")


def _open_study(folder: Path, experiment: Experiment, plan: Search, images: CellImages) -> optuna.Study:
    """The study in `folder`, new or begun earlier."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=experiment.name,
        storage=f"sqlite:///{folder / 'study.db'}",
        direction="maximize",
        pruner=optuna.pruners.MedianPruner(USUAL_TRIALS, n_warmup_steps=LEAST_EPOCHS - 1),
        load_if_exists=True,
    )
    # The length of a search is no part of what it is.
    made_of = {
        "experiment": experiment.as_dict(),
        "plan": json.loads(json.dumps(asdict(replace(plan, epochs=0)))),
        "data": images.fingerprint,
    }
    if study.user_attrs.get("made_of", made_of) != made_of:
        raise TrainingError(
            f"{folder} holds a search with other settings or data. Rename the experiment, or remove it."
        )
    study.set_user_attr("made_of", made_of)
    if not study.trials:
        study.enqueue_trial({name: value_of(experiment, name) for name in plan.space})
    for trial in study.get_trials(states=[TrialState.RUNNING]):
        # Interrupted. What it learnt lies in its run, with which the next trial of these settings goes on.
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params)
    # With the seed of its beginning, a sampler would propose again what it has proposed before.
    study.sampler = optuna.samplers.TPESampler(seed=experiment.seed + len(study.trials))
    return study


def _suggest(trial: optuna.Trial, experiment: Experiment, name: str, span: Range) -> Any:
    if span.low is None or span.high is None:
        return trial.suggest_categorical(name, span.choices)
    if isinstance(value_of(experiment, name), int):
        return trial.suggest_int(name, int(span.low), int(span.high), log=span.log)
    return trial.suggest_float(name, span.low, span.high, log=span.log)


def _worth(
    trial: optuna.Trial,
    candidate: Experiment,
    images: CellImages,
    decoded: Mapping[int, Pictures],
    folder: Path,
) -> float:
    """Train one trial; the best of its validation accuracies.

    Raises:
        optuna.TrialPruned: it is not worth going on with.
        TrainingError: as train.
    """

    def report(history: Sequence[Mapping[str, Any]]) -> None:
        trial.report(history[-1]["val_accuracy"], step=len(history))
        if trial.should_prune():
            raise optuna.TrialPruned

    keras.utils.clear_session()
    run = fit(candidate, images, decoded, folder, on_epoch=report)
    history = json.loads((run / RUN_FILE).read_text(encoding="utf-8"))["history"]
    return float(max(entry["val_accuracy"] for entry in history))


def _name(settings: Mapping[str, Any]) -> str:
    """The same for the same settings, so that an interrupted trial finds its run again."""
    return f"trial-{hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]}"


def _epochs(trial: FrozenTrial) -> int:
    # One that broke off at once counts too, or a search of nothing else would never end.
    return len(trial.intermediate_values) or int(trial.state is TrialState.FAIL)


def _table(study: optuna.Study, plan: Search) -> Table:
    """What was tried, the best first."""
    table = Table("trial", "end", "epochs", "accuracy", title=f"Search of {study.study_name}")
    for name in plan.space:
        table.add_column(name, overflow="fold")
    trials = study.get_trials(deepcopy=False)
    for trial in sorted(trials, key=_best_value, reverse=True):
        table.add_row(
            str(trial.number),
            _ENDS[trial.state],
            str(_epochs(trial)),
            f"{_best_value(trial):.4f}",
            *(_short(trial.params[name]) for name in plan.space),
        )
    return table


def _best_value(trial: FrozenTrial) -> float:
    return float(max(trial.value or 0.0, *trial.intermediate_values.values(), 0.0))


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _write(best: Experiment, study: optuna.Study, path: Path) -> Path:
    heading = (
        f"# The best of {len(study.trials)} trials of {study.study_name}: {study.best_value:.4f} of the "
        "validation images right after short training.\n"
    )
    write_whole(path, heading + yaml.safe_dump(best.as_dict(), sort_keys=False, allow_unicode=True))
    return path
