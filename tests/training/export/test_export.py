"""training.export.export: a version folder that keeps the contract, in both of its forms."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from serving.contract import CELL_LABELS, ModelInfo, to_model_input
from training.config import FULL_SIZE, Experiment
from training.data.view import view_slice
from training.errors import TrainingError
from training.evaluation.inference import Predict, lite_predictor, saved_model_predictor
from training.export.calibrate import softmax
from training.export.export import export
from training.export.version import load_trainable
from training.model.classifier import look_both_ways


@pytest.fixture(scope="module")
def version(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("models") / "hematovision" / "7"
    export(trained, target)
    return target


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (5, 224, 224, 3), dtype=np.uint8)


@pytest.fixture(params=[lite_predictor, saved_model_predictor], ids=["LiteRT", "SavedModel"])
def predict(request: pytest.FixtureRequest, version: Path) -> Predict:
    predictor: Callable[[Path], Predict] = request.param
    return predictor(version)


def test_the_folder_is_a_version(version: Path, trained: Path, experiment: Experiment) -> None:
    info = ModelInfo.load(version)
    assert (info.name, info.version, info.labels) == ("hematovision", 7, CELL_LABELS)
    assert (info.backbone, info.licence) == ("small_cnn", "drawn")
    assert 0.5 <= info.review_threshold <= 1
    names = {path.relative_to(version).parts[0] for path in version.rglob("*") if path.is_file()}
    assert names == {
        "model.json",
        "model.tflite",
        "saved_model.pb",
        "fingerprint.pb",
        "variables",
        "assets.extra",
    }
    assert [path.name for path in version.parent.iterdir()] == ["7"]


@pytest.mark.parametrize("count", [1, 5])
def test_names_types_and_shapes(predict: Predict, images: NDArray[np.uint8], count: int) -> None:
    outputs = predict(images[:count])
    assert {name: (value.shape, value.dtype.type) for name, value in outputs.items()} == {
        "probabilities": ((count, 8), np.float32),
        "evidence": ((count, 14, 14, 8), np.float32),
        "embedding": ((count, 64), np.float32),
        "distance": ((count,), np.float32),
    }


def test_evidence_explains_the_probabilities(
    predict: Predict, trained: Path, version: Path, images: NDArray[np.uint8]
) -> None:
    outputs = predict(images)
    bias = (
        keras.saving.load_model(trained / "model.keras", compile=False).get_layer("logits").weights[0].numpy()
    )
    logits = outputs["evidence"].mean(axis=(1, 2)) + bias
    # The LiteRT form keeps its bias, like its weights, in half precision.
    assert np.allclose(
        softmax(logits / ModelInfo.load(version).temperature), outputs["probabilities"], atol=2e-4
    )


def test_both_forms_compute_what_was_trained(trained: Path, version: Path, images: NDArray[np.uint8]) -> None:
    view = view_slice(224)
    model = keras.saving.load_model(trained / "model.keras", compile=False)
    learned = look_both_ways(model, images[:, view, view].astype(np.float32))
    lite, saved = lite_predictor(version)(images), saved_model_predictor(version)(images)
    # The LiteRT form keeps its weights in half precision.
    for name, tolerance in {
        "probabilities": 0.01,
        "evidence": 0.1,
        "embedding": 0.02,
        "distance": 0.02,
    }.items():
        assert np.allclose(lite[name], saved[name], atol=tolerance, rtol=0.02), name
    assert np.allclose(saved["embedding"], learned["embedding"], atol=1e-4)
    assert np.allclose(saved["evidence"][:, 2:-2, 2:-2] * (5 / 7) ** 2, learned["evidence"], atol=1e-3)


def test_nothing_outside_the_view_counts(predict: Predict, images: NDArray[np.uint8]) -> None:
    view = view_slice(224)
    other = images // 2
    other[:, view, view] = images[:, view, view]
    for name, value in predict(images).items():
        assert np.allclose(value, predict(other)[name], atol=1e-4), name


def test_a_picture_unlike_any_training_cell_is_far(predict: Predict, cells: Path) -> None:
    with Image.open(cells / "monocyte" / "00.png") as file:
        known = to_model_input(file, FULL_SIZE)
    chequered = np.indices((224, 224)).sum(axis=0)[..., None] // 16 % 2 * np.array([255, 0, 200])
    distances = predict(np.stack([known, chequered.astype(np.uint8)]))["distance"]
    assert distances[0] <= 1 < distances[1]


def test_it_can_be_trained_further(trained: Path, version: Path) -> None:
    kept = load_trainable(version)
    model = keras.saving.load_model(trained / "model.keras", compile=False)
    for one, other in zip(kept.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_the_saved_model_is_frozen(version: Path) -> None:
    assert sum(path.stat().st_size for path in (version / "variables").iterdir()) < 2000


def test_a_taken_or_ill_named_target_and_an_unfinished_run_are_named(
    trained: Path, version: Path, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match="exists already"):
        export(trained, version)
    with pytest.raises(TrainingError, match="named by a number"):
        export(trained, tmp_path / "best")
    with pytest.raises(TrainingError, match=r"has no model\.keras"):
        export(tmp_path, tmp_path / "1")


def test_a_failure_leaves_nothing_behind(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(info: ModelInfo, folder: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ModelInfo, "save", full_disk)
    with pytest.raises(TrainingError, match="No space left"):
        export(trained, tmp_path / "hematovision" / "1")
    assert not list((tmp_path / "hematovision").iterdir())


def test_up_and_down_are_the_same(predict: Predict, images: NDArray[np.uint8]) -> None:
    upright, turned = predict(images), predict(images[:, ::-1, ::-1].copy())
    for name in ("probabilities", "embedding", "distance"):
        assert np.allclose(upright[name], turned[name], atol=1e-4), name
    assert np.allclose(upright["evidence"], turned["evidence"][:, ::-1, ::-1], atol=1e-3)
