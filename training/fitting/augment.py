"""Random variation of a batch, as another microscope, stain or hand would give it. All in batch operations.

Randomness is stateless: the same images and seed give the same result, so a resumed run repeats an
unbroken one.
"""

import math
from dataclasses import fields

import numpy as np
import tensorflow as tf

from training.config import FULL_SIZE, Augmentation
from training.data.view import view_side

# Optical density of haematoxylin, eosin and DAB in R, G, B
# (Ruifrok & Johnston, Anal Quant Cytol Histol 2001).
_HED_TO_RGB = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]], np.float32)
_RGB_TO_HED = np.linalg.inv(_HED_TO_RGB).astype(np.float32)
# Luminance weights (ITU-R BT.601).
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_RADIUS = 8  # of the blur filter, pixels


class _Draws:
    """A stream of independent random numbers from one seed."""

    def __init__(self, seed: tf.Tensor) -> None:
        self._seed = seed
        self._used = 0

    def uniform(self, shape: list[int | tf.Tensor], low: float = -1.0, high: float = 1.0) -> tf.Tensor:
        return tf.random.stateless_uniform(shape, self._next(), low, high)

    def normal(self, shape: tf.Tensor) -> tf.Tensor:
        return tf.random.stateless_normal(shape, self._next())

    def _next(self) -> tf.Tensor:
        self._used += 1
        return tf.random.fold_in(self._seed, self._used)


def weakened(strength: Augmentation, share: float) -> Augmentation:
    """`share` of each of its strengths."""
    return Augmentation(**{part.name: share * getattr(strength, part.name) for part in fields(strength)})


def augment(images: tf.Tensor, seed: tf.Tensor, strength: Augmentation) -> tf.Tensor:
    """Randomly varied copies of a batch.

    Args:
        images: uint8 [N,S,S,3], RGB.
        seed: int32 [2].
        strength: how far each part may go.

    Returns:
        float32 [N,V,V,3] in 0–255: the view, V = view_side(S), of each varied picture.
    """
    draws = _Draws(seed)
    x = tf.cast(images, tf.float32)
    x = _geometry(x, draws, strength)
    # In every batch from the slides as they are, for a fifth of it, to slides far from them.
    vigour = tf.maximum(draws.uniform([tf.shape(x)[0], 1], -0.25, 1.0), 0.0)
    x = _stain_and_light(x, draws, strength, vigour)
    x = _colour(x, draws, strength, vigour)
    x = _fringe(x, draws, strength)
    x = _focus(x, draws, strength, vigour)
    x = _resample(x, draws, strength)
    x = _noise(x, draws, strength, vigour)
    return _jpeg(x, draws, strength)


def _geometry(x: tf.Tensor, draws: _Draws, strength: Augmentation) -> tf.Tensor:
    """Any rotation and handedness, zoom, stretch and shift, in one resampling; the rim is mirrored."""
    count, side, view = tf.shape(x)[0], float(x.shape[1]), view_side(x.shape[1])
    angle = draws.uniform([count]) * math.pi
    zoom = tf.exp(draws.uniform([count]) * math.log1p(strength.scale))
    stretch = tf.exp(draws.uniform([count]) * math.log1p(strength.stretch) / 2)
    flip = tf.sign(draws.uniform([count]))
    shift = draws.uniform([count, 2]) * strength.shift * side
    cos, sin = tf.cos(angle), tf.sin(angle)
    # From output to input pixel, about the centre: R(angle) · diag(flip·stretch, 1/stretch) / zoom.
    a, b = cos * flip * stretch / zoom, -sin / stretch / zoom
    c, d = sin * flip * stretch / zoom, cos / stretch / zoom
    centre, middle = (side - 1) / 2, (view - 1) / 2
    tx = centre + shift[:, 0] - middle * (a + b)
    ty = centre + shift[:, 1] - middle * (c + d)
    zero = tf.zeros_like(a)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=x,
        transforms=tf.stack([a, b, tx, c, d, ty, zero, zero], axis=1),
        output_shape=(view, view),
        interpolation="BILINEAR",
        fill_mode="REFLECT",
        fill_value=0.0,
    )


def _stain_and_light(x: tf.Tensor, draws: _Draws, strength: Augmentation, vigour: tf.Tensor) -> tf.Tensor:
    """Stain amounts, gamma, white balance, shading: linear in optical density (Beer-Lambert), so one map."""
    count = tf.shape(x)[0]
    amounts = 1 + vigour * strength.stain * draws.uniform([count, 3])
    gamma = tf.exp(vigour * strength.exposure * draws.uniform([count, 1]))
    mixing = tf.einsum("ij,nj,jk->nik", _RGB_TO_HED, gamma * amounts, _HED_TO_RGB)
    # Darker more than brighter: what is overexposed has lost its cytoplasm, and no lab keeps such pictures.
    dimming = strength.exposure * draws.uniform([count, 1], -0.25, 1.0)
    balance = vigour * (strength.colour * draws.uniform([count, 3]) + dimming)
    slope = vigour[:, None] * strength.shading * draws.uniform([count, 2, 3])
    ramp = tf.linspace(-1.0, 1.0, tf.shape(x)[1])
    shading = (
        ramp[None, None, :, None] * slope[:, None, None, 0]
        + ramp[None, :, None, None] * slope[:, None, None, 1]
    )
    density = -tf.math.log((x + 1) / 256)
    density = tf.einsum("nhwi,nik->nhwk", density, mixing) + balance[:, None, None] + shading
    return tf.clip_by_value(256 * tf.exp(-density) - 1, 0, 255)


def _colour(x: tf.Tensor, draws: _Draws, strength: Augmentation, vigour: tf.Tensor) -> tf.Tensor:
    """Saturation, crosstalk of the channels, and a veil of coloured stray light, which lowers contrast."""
    count, vigour = tf.shape(x)[0], vigour[:, :, None]
    grey = tf.constant(_LUMA)[:, None] * tf.ones((1, 3))
    saturation = tf.exp(vigour * strength.colour * draws.uniform([count, 1, 1]))
    crosstalk = 0.3 * vigour * strength.colour * draws.uniform([count, 3, 3])
    mixing = (
        grey + saturation * (tf.eye(3) - grey) + crosstalk - tf.reduce_mean(crosstalk, axis=1, keepdims=True)
    )
    veil = vigour[..., None] * strength.exposure * draws.uniform([count, 1, 1, 1], 0.0, 1.0)
    veil_colour = draws.uniform([count, 1, 1, 3], 80.0, 220.0)
    x = tf.einsum("nhwi,nik->nhwk", x, mixing)
    return tf.clip_by_value(x + veil * (veil_colour - x), 0, 255)


def _fringe(x: tf.Tensor, draws: _Draws, strength: Augmentation) -> tf.Tensor:
    """Chromatic aberration of half of the images: red and blue shifted apart, alike in the whole batch."""
    if not strength.fringe:
        return x
    reach = strength.fringe * x.shape[1] / view_side(FULL_SIZE)
    shift = tf.cast(tf.round(draws.uniform([2]) * reach), tf.int32)
    apart = tf.stack(
        [tf.roll(x[..., 0], shift, (1, 2)), x[..., 1], tf.roll(x[..., 2], -shift, (1, 2))], axis=-1
    )
    return tf.where(draws.uniform([tf.shape(x)[0], 1, 1, 1]) > 0, apart, x)


def _focus(x: tf.Tensor, draws: _Draws, strength: Augmentation, vigour: tf.Tensor) -> tf.Tensor:
    """Blur of some images, the hard rims of a closed condenser of others: one width in a batch."""
    if not strength.blur:
        return x
    count, view = tf.shape(x)[0], x.shape[1]
    sigma = draws.uniform([], 0.5, 3.5) * view / view_side(FULL_SIZE)
    profile = tf.exp(-0.5 * (tf.range(-_RADIUS, _RADIUS + 1, dtype=tf.float32) / sigma) ** 2)
    profile = tf.tile((profile / tf.reduce_sum(profile))[:, None], [1, 3])
    around = [[0, 0], [_RADIUS, _RADIUS], [_RADIUS, _RADIUS], [0, 0]]
    smooth = tf.nn.depthwise_conv2d(
        tf.pad(x, around, "REFLECT"), profile[:, None, :, None], [1, 1, 1, 1], "VALID"
    )
    smooth = tf.nn.depthwise_conv2d(smooth, profile[None, :, :, None], [1, 1, 1, 1], "VALID")
    chosen = draws.uniform([count, 1, 1, 1], 0.0, 1.0) < 2.5 * strength.blur * vigour[:, :, None, None]
    weight = tf.cast(chosen, tf.float32) * tf.minimum(draws.uniform([count, 1, 1, 1], -0.8, 1.4), 1.0)
    return tf.clip_by_value(x + weight * (smooth - x), 0, 255)


def _resample(x: tf.Tensor, draws: _Draws, strength: Augmentation) -> tf.Tensor:
    """A coarser camera: now and then half of a batch is shrunk and enlarged again."""
    size = tf.shape(x)[1:3]

    def coarse() -> tf.Tensor:
        factor = draws.uniform([], 0.35, 0.9)
        small = tf.image.resize(x, tf.cast(tf.cast(size, tf.float32) * factor, tf.int32), "area")
        half = tf.cast(draws.uniform([tf.shape(x)[0], 1, 1, 1]) > 0, tf.float32)
        return x + half * (tf.image.resize(small, size, "bilinear") - x)

    return tf.cond(draws.uniform([], 0.0, 1.0) < strength.resample, coarse, lambda: x)


def _noise(x: tf.Tensor, draws: _Draws, strength: Augmentation, vigour: tf.Tensor) -> tf.Tensor:
    """Sensor noise of a different level in each image."""
    if not strength.noise:
        return x
    deviation = strength.noise * vigour[:, :, None, None] * draws.uniform([tf.shape(x)[0], 1, 1, 1], 0.0, 1.0)
    return tf.clip_by_value(x + deviation * draws.normal(tf.shape(x)), 0, 255)


def _jpeg(x: tf.Tensor, draws: _Draws, strength: Augmentation) -> tf.Tensor:
    """Recompression of a share of the images, at quality 25 to 95."""
    if not strength.jpeg:
        return x
    count = tf.shape(x)[0]
    share = tf.cast(tf.math.ceil(strength.jpeg * tf.cast(count, tf.float32)), tf.int32)
    rows = tf.argsort(draws.uniform([count]))[:share]
    recompressed = tf.map_fn(
        lambda item: tf.image.adjust_jpeg_quality(item[0], item[1]),
        (tf.cast(tf.gather(x, rows), tf.uint8), tf.cast(draws.uniform([share], 25.0, 95.0), tf.int32)),
        fn_output_signature=tf.TensorSpec((None, None, 3), tf.uint8),
    )
    return tf.tensor_scatter_nd_update(x, rows[:, None], tf.cast(recompressed, tf.float32))
