"""Feature extractors, chosen by name: image float32 [N,H,W,3] in RGB 0–255 → features [N,h,w,D]."""

from collections.abc import Callable
from pathlib import Path

import keras

from training.efficientnet_lite import efficientnet_lite
from training.errors import TrainingError


def build_backbone(name: str, weights: Path | None) -> keras.Model:
    """The named backbone with its own input scaling inside.

    Raises:
        TrainingError: no such backbone, or its weights file is missing or does not fit.
    """
    if name not in BACKBONES:
        raise TrainingError(f"There is no backbone {name!r}; choose one of {', '.join(BACKBONES)}.")
    return BACKBONES[name](weights)


def _efficientnet_lite0(weights: Path | None) -> keras.Model:
    """EfficientNet-Lite0 without its top: 3.4 M parameters, D = 1280."""
    if weights is None:
        raise TrainingError(
            "efficientnet_lite0 needs backbone.weights: a .keras file of the network without its top."
        )
    if not weights.is_file():
        raise TrainingError(f"There is no weights file {weights}. Set backbone.weights to where it is.")
    network = efficientnet_lite("efficientnet_lite0")
    network.set_weights(keras.saving.load_model(weights, compile=False).get_weights())
    return network


def _small_cnn(weights: Path | None) -> keras.Model:
    """Four strided convolutions from scratch, D = 64: a baseline, and quick enough for tests."""
    if weights is not None:
        raise TrainingError("small_cnn is trained from scratch: remove backbone.weights.")
    image = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(image)
    for width in (16, 32, 48, 64):
        x = keras.layers.Conv2D(width, 3, strides=2, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization(momentum=0.9)(x)
        x = keras.layers.ReLU()(x)
    return keras.Model(image, x, name="small_cnn")


BACKBONES: dict[str, Callable[[Path | None], keras.Model]] = {
    "efficientnet_lite0": _efficientnet_lite0,
    "small_cnn": _small_cnn,
}
