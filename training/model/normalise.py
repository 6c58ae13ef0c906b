"""One white and one contrast for every slide, whatever the lamp, the camera and the strength of the stain."""

from typing import Any

import keras
import tensorflow as tf

GRID = 40  # points to a side at which a picture is measured: averages, so that noise does not count
BACKGROUND = 0.10  # the share of the brightest points whose lower bound is taken for empty glass
NUCLEUS = 0.04  # the share of the darkest points whose upper bound is taken for nucleus


@keras.saving.register_keras_serializable("hematovision")
class SlideNormalisation(keras.layers.Layer):  # type: ignore[misc] # Keras is not where types are checked
    """Images float32 [N,H,W,3] in 0–255 with white glass and nuclei of one optical density.

    Light falls off exponentially with stain (Beer-Lambert), so a picture is scaled in optical density: per
    channel 0 where the glass is, and `density` where the darkest parts are. `per_channel` 1 gives nuclei one
    colour too; 0 scales all channels alike and keeps their colour; between, in between.
    """

    def __init__(self, density: tuple[float, ...], per_channel: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.density = tuple(density)
        self.per_channel = per_channel

    def call(self, image: Any) -> Any:
        points = _measure(image)
        white = tf.maximum(_bound(points, BACKGROUND), 16.0)  # [N,3]
        density = tf.maximum(tf.math.log((white[:, None] + 1) / (points + 1)), 0.0)
        target = tf.constant(self.density, tf.float32)
        darkest = tf.maximum(_bound(density, NUCLEUS), 0.1)  # [N,3]
        gain = target / darkest
        common = tf.reduce_sum(target) / tf.reduce_sum(darkest, axis=1, keepdims=True)
        gain = tf.exp(self.per_channel * tf.math.log(gain) + (1 - self.per_channel) * tf.math.log(common))
        relative = tf.math.log((image + 1) / (white[:, None, None] + 1))
        return tf.minimum(256 * tf.exp(gain[:, None, None] * relative) - 1, 255.0)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "density": self.density, "per_channel": self.per_channel}


def _measure(image: Any) -> Any:
    """Averages of small squares, [N,P,3]. The side of `image` must be known."""
    step = max(1, image.shape[1] // GRID)
    points = tf.nn.avg_pool2d(image, step, step, "VALID")
    return tf.reshape(points, (-1, points.shape[1] * points.shape[2], 3))


def _bound(points: Any, share: float) -> Any:
    """The value per channel that `share` of the points exceed: [N,P,3] → [N,3]."""
    count = max(1, int(points.shape[1] * share))
    return tf.math.top_k(tf.transpose(points, (0, 2, 1)), count).values[..., -1]
