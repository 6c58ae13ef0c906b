"""EfficientNet-Lite (Tan & Le, ICML 2019; Liu, TensorFlow blog 2020): no squeeze-and-excite, ReLU6.

Layer by layer the network of the published weights, but for where its strided convolutions sample.
TensorFlow's padding puts the centre of feature i's receptive field at pixel 32 i + 31, the corner of its
square of the image. Here all but the last pad evenly, so that it lies at 32 i + 16, the middle: evidence is
drawn where it was found.
"""

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

# expansion, kernel, stride, filters, repeats
_STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
_LAST_STRIDED = 5
_TORCH_ENDS = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "head_conv": "_conv_head", "head_bn": "_bn1"}
_TORCH_BLOCK = {
    "expand_conv": "_expand_conv",
    "expand_bn": "_bn0",
    "dwconv": "_depthwise_conv",
    "dw_bn": "_bn1",
    "project_conv": "_project_conv",
    "project_bn": "_bn2",
}
_NORM_WEIGHTS = ("weight", "bias", "running_mean", "running_var")  # in the order of Keras' batch norm
# name → width, depth
SCALES = {
    "efficientnet_lite0": (1.0, 1.0),
    "efficientnet_lite1": (1.0, 1.1),
    "efficientnet_lite2": (1.1, 1.2),
}


def efficientnet_lite(name: str) -> keras.Model:
    """The network without its top: image float32 [N,H,W,3], RGB 0–255 → features [N,⌈H/32⌉,⌈W/32⌉,1280]."""
    width, depth = SCALES[name]
    image = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 128, offset=-127 / 128, name="rescaling")(image)
    x = _convolution(x, "stem_conv", 32, kernel=3, stride=2)
    x = _norm(x, "stem_bn", "stem_relu6")
    block = 0
    for index, (expansion, kernel, stride, filters, repeats) in enumerate(_STAGES):
        # The first and the last stage are not scaled in depth.
        if index not in (0, len(_STAGES) - 1):
            repeats = math.ceil(repeats * depth)
        for repeat in range(repeats):
            x = _block(
                x,
                f"block{block}",
                expansion=expansion,
                kernel=kernel,
                stride=stride if repeat == 0 else 1,
                filters=_scaled(filters, width),
                as_tensorflow=index == _LAST_STRIDED,
            )
            block += 1
    x = keras.layers.Conv2D(1280, 1, use_bias=False, name="head_conv")(x)
    x = _norm(x, "head_bn", "head_relu6")
    return keras.Model(image, x, name=name)


def set_torch_weights(network: keras.Model, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Give `network` weights under the names of PyTorch's EfficientNet; those of its classifier are left out.

    Raises:
        KeyError: a tensor is missing.
        ValueError: a tensor has another shape.
    """
    for layer in (layer for layer in network.layers if layer.weights):
        source = _torch_name(layer.name)
        match layer:
            case keras.layers.BatchNormalization():
                layer.set_weights([tensors[f"{source}.{part}"] for part in _NORM_WEIGHTS])
            case keras.layers.DepthwiseConv2D():  # [C,1,h,w] → [h,w,C,1]
                layer.set_weights([np.transpose(tensors[f"{source}.weight"], (2, 3, 0, 1))])
            case keras.layers.Conv2D():  # [D,C,h,w] → [h,w,C,D]
                layer.set_weights([np.transpose(tensors[f"{source}.weight"], (2, 3, 1, 0))])


def _torch_name(layer: str) -> str:
    """The PyTorch module whose weights the Keras layer of this name takes."""
    part, _, kind = layer.partition("_")
    if part.startswith("block"):
        return f"_blocks.{part.removeprefix('block')}.{_TORCH_BLOCK[kind]}"
    return _TORCH_ENDS[layer]


def _block(
    x: Any, name: str, *, expansion: int, kernel: int, stride: int, filters: int, as_tensorflow: bool
) -> Any:
    shortcut, width = x, x.shape[-1]
    if expansion != 1:
        x = keras.layers.Conv2D(width * expansion, 1, use_bias=False, name=f"{name}_expand_conv")(x)
        x = _norm(x, f"{name}_expand_bn", f"{name}_expand_relu6")
    x = _convolution(x, f"{name}_dwconv", None, kernel=kernel, stride=stride, as_tensorflow=as_tensorflow)
    x = _norm(x, f"{name}_dw_bn", f"{name}_dw_relu6")
    x = keras.layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project_conv")(x)
    x = _norm(x, f"{name}_project_bn")
    return keras.layers.Add(name=f"{name}_add")([shortcut, x]) if stride == 1 and width == filters else x


def _convolution(
    x: Any, name: str, filters: int | None, *, kernel: int, stride: int, as_tensorflow: bool = False
) -> Any:
    """A convolution without bias; depthwise where `filters` is None."""
    padding = "same"
    if stride > 1 and not as_tensorflow:
        x = keras.layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(x)
        padding = "valid"
    if filters is None:
        return keras.layers.DepthwiseConv2D(
            kernel, strides=stride, padding=padding, use_bias=False, name=name
        )(x)
    return keras.layers.Conv2D(filters, kernel, strides=stride, padding=padding, use_bias=False, name=name)(x)


def _norm(x: Any, name: str, activation: str | None = None) -> Any:
    x = keras.layers.BatchNormalization(epsilon=1e-3, momentum=0.99, name=name)(x)
    return keras.layers.ReLU(6.0, name=activation)(x) if activation else x


def _scaled(filters: int, width: float) -> int:
    """Filters times width, to the nearest multiple of 8 that is not below 90 % of it."""
    wanted = filters * width
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded
