"""training.fitting.loop: interruption, resumption, and what stops it."""

import itertools
import json
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training.drawn import NO_AUGMENTATION
from training.config import Data, Experiment, Stage
from training.data.images import load_images, pixels
from training.errors import Diverged, TrainingError
from training.fitting import loop as module
from training.fitting.loop import class_weights, fit, share_outside, train
from training.model.classifier import build_classifier


def weights(run: Path) -> list[np.ndarray]:
    found: list[np.ndarray] = keras.saving.load_model(run / "model.keras", compile=False).get_weights()
    return found


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sends the next run a signal, Ctrl-C by default, during a method of its trainer's `number`-th call."""

    def arm(number: int, method: str = "step", sign: signal.Signals = signal.SIGINT) -> None:
        original, calls = getattr(module._Trainer, method), itertools.count(1)

        def interrupted(*arguments: object) -> object:
            if next(calls) == number:
                monkeypatch.setattr(module._Trainer, method, original)
                signal.raise_signal(sign)
            return original(*arguments)

        monkeypatch.setattr(module._Trainer, method, interrupted)

    return arm


@pytest.mark.parametrize(
    ("number", "method", "sign", "stops_at"),
    [
        (3, "step", signal.SIGINT, 3),
        (10, "step", signal.SIGTERM, 10),
        (1, "accuracy", signal.SIGINT, 7),
        (1, "save_averaged", signal.SIGINT, 7),
    ],
)
def test_an_interrupted_run_ends_as_an_unbroken_one(
    experiment: Experiment,
    trained: Path,
    interrupt: Callable[..., None],
    tmp_path: Path,
    number: int,
    method: str,
    sign: signal.Signals,
    stops_at: int,
) -> None:
    interrupt(number, method, sign)
    with pytest.raises(
        TrainingError, match=f"Interrupted at step {stops_at} of 14. The same command goes on"
    ):
        train(experiment, tmp_path / "broken")
    resumed = train(experiment, tmp_path / "broken")
    for one, other in zip(weights(trained), weights(resumed), strict=True):
        assert np.allclose(one, other, atol=1e-5)
    history = json.loads((resumed / "run.json").read_text())["history"]
    assert [(entry["step"], entry["size"]) for entry in history] == [(7, 32), (14, 48)]


@pytest.fixture
def heeded() -> Iterator[None]:
    """Ctrl-C ends Python even where the tests run in the background of a shell, which ignores it."""
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, usual)


@pytest.mark.usefixtures("heeded")
def test_a_second_interruption_does_not_wait(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def step(*_: object) -> float:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("it went on")

    monkeypatch.setattr(module._Trainer, "step", step)
    with pytest.raises(KeyboardInterrupt):
        train(experiment, tmp_path)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@contextmanager
def little_space(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_said_leaves_nothing_half_written_and_can_be_mended(
    experiment: Experiment, trained: Path, tmp_path: Path
) -> None:
    for stage in experiment.stages:  # room enough for pictures
        pixels(
            load_images(experiment.data.root, seed=experiment.seed), stage.size, tmp_path / "runs" / "cache"
        )
    # First for no weights, then for them but not for the checkpoint, which holds them thrice.
    for size in (20_000, 300_000):
        with (
            little_space(size),
            pytest.raises(TrainingError, match=r"Cannot write to .*small .* Free some space"),
        ):
            train(experiment, tmp_path / "runs")
        run = tmp_path / "runs" / "small"
        assert {path.name for path in run.iterdir()} <= {"run.json", "model.keras", "checkpoints"}
        json.loads((run / "run.json").read_text())
    resumed = train(experiment, tmp_path / "runs")
    for one, other in zip(weights(trained), weights(resumed), strict=True):
        assert np.allclose(one, other, atol=1e-5)


def test_a_finished_run_is_not_repeated(experiment: Experiment, trained: Path, tmp_path: Path) -> None:
    run = shutil.copytree(trained, tmp_path / trained.name)
    written = (run / "model.keras").stat().st_mtime_ns
    assert train(experiment, tmp_path) == run
    assert (run / "model.keras").stat().st_mtime_ns == written


def test_the_record_tells_what_made_the_model(experiment: Experiment, trained: Path) -> None:
    record = json.loads((trained / "run.json").read_text())
    assert record["experiment"] == experiment.as_dict()
    assert all(len(record["fingerprints"][key]) == 64 for key in ("data", "code"))
    assert record["trained_at"].endswith("+00:00")


def test_the_last_stage_ends_when_patience_does(
    experiment: Experiment,
    varied: Callable[..., Experiment],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Falling in the first stage, which has patience; in the second the best comes second.
    found = iter([0.9, 0.8, 0.7, 0.3, 0.5, 0.4, 0.5, 0.2, 0.2, 0.2])
    monkeypatch.setattr(module._Trainer, "accuracy", lambda *_: next(found))
    patient = varied(
        stages=(Stage(size=32, epochs=3, batch=64), Stage(size=32, epochs=7, batch=64)),
        optimiser=replace(experiment.optimiser, patience=2),
    )
    for _ in range(2):  # and the same command does not go on with it
        history = json.loads((train(patient, tmp_path) / "run.json").read_text())["history"]
        assert [entry["val_accuracy"] for entry in history] == [0.9, 0.8, 0.7, 0.3, 0.5, 0.4, 0.5]


@pytest.mark.parametrize(
    ("stage", "learns"),
    [
        (Stage(size=32, epochs=1, batch=64, unfrozen=0), set()),
        (Stage(size=32, epochs=1, batch=64, unfrozen=0.5), {"conv2d_2", "conv2d_3", "norm_2", "norm_3"}),
        (
            Stage(size=32, epochs=1, batch=64, batch_norm=False),
            {"conv2d", "conv2d_1", "conv2d_2", "conv2d_3"},
        ),
    ],
    ids=["head alone", "upper half", "all but batch norms"],
)
def test_only_what_a_stage_unfreezes_changes(
    varied: Callable[..., Experiment], tmp_path: Path, stage: Stage, learns: set[str]
) -> None:
    keras.utils.clear_session()  # layers are numbered from the first again
    settings = varied(stages=(stage,))
    images = load_images(settings.data.root, seed=settings.seed)
    start = build_classifier(settings.backbone, settings.normalisation, dropout=0)
    before = {variable.path: variable.numpy() for variable in start.variables}
    fit(settings, images, {32: pixels(images, 32, tmp_path)}, tmp_path, start=start)
    changed = {
        variable.path.split("/")[-2].replace("batch_normalization", "norm")
        for variable in start.variables
        if not np.array_equal(before[variable.path], variable.numpy())
    }
    assert changed == {"evidence", "logits", *learns}


def test_a_stage_that_varies_nothing_learns_as_without_augmentation(
    varied: Callable[..., Experiment], tmp_path: Path
) -> None:
    stages = {share: (Stage(size=32, epochs=1, batch=64, variation=share),) for share in (0.0, 1.0)}
    still = train(varied(name="still", stages=stages[0.0]), tmp_path)
    without = train(varied(name="without", stages=stages[1.0], augmentation=NO_AUGMENTATION), tmp_path)
    moved = train(varied(name="moved", stages=stages[1.0]), tmp_path)
    expected = weights(without)
    assert all(map(np.array_equal, weights(still), expected))
    assert not all(map(np.array_equal, weights(moved), expected))


def test_the_best_weights_of_the_last_stages_are_averaged(
    experiment: Experiment, varied: Callable[..., Experiment], tmp_path: Path
) -> None:
    stages = tuple(Stage(size=32, epochs=1, batch=64) for _ in range(3))
    run = train(varied(stages=stages, optimiser=replace(experiment.optimiser, stages_averaged=2)), tmp_path)
    assert not (run / "stage-0.keras").exists()
    one, two = (
        keras.saving.load_model(run / f"stage-{number}.keras", compile=False).get_weights()
        for number in (1, 2)
    )
    assert not np.allclose(one[-1], two[-1])
    assert all(np.allclose(mean, (a + b) / 2) for mean, a, b in zip(weights(run), one, two, strict=True))


def test_each_epoch_is_told(varied: Callable[..., Experiment], tmp_path: Path) -> None:
    quick = varied(stages=(Stage(size=32, epochs=2, batch=64),))
    images = load_images(quick.data.root, seed=quick.seed)
    told: list[tuple[int, float]] = []
    run = fit(
        quick,
        images,
        {32: pixels(images, 32, tmp_path / "cache")},
        tmp_path,
        on_epoch=lambda history: told.append((len(history), history[-1]["val_accuracy"])),
    )
    history = json.loads((run / "run.json").read_text())["history"]
    assert len(history) == 2
    assert told == [(number, entry["val_accuracy"]) for number, entry in enumerate(history, start=1)]


def test_evidence_outside_is_what_lies_in_the_outermost_squares() -> None:
    evidence = np.zeros((3, 5, 5, 2), np.float32)
    evidence[0, 2, 2] = (3, -1)  # all in the middle
    evidence[1, 0, 4] = (0, -2)  # all in a corner
    evidence[2, 1:4, 1:4, 0] = 1
    evidence[2, 4, :3, 1] = -1
    assert np.allclose(share_outside(tf.constant(evidence)), [0, 1, 3 / 12], atol=1e-5)


def test_a_run_folder_of_other_settings_or_data_is_left_alone(
    experiment: Experiment, trained: Path, varied: Callable[..., Experiment], tmp_path: Path
) -> None:
    record = shutil.copytree(trained, tmp_path / trained.name) / "run.json"
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
    with pytest.raises(Diverged, match=r"The loss is .* Lower optimiser\.learning_rate"):
        train(varied(optimiser=wild), tmp_path)


def test_pictures_too_many_for_the_memory_are_named(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def exhausted(*_: object) -> None:
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(module, "augment", exhausted)
    with pytest.raises(TrainingError, match="16 pictures of 32 px are too much for memory"):
        train(experiment, tmp_path)


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
