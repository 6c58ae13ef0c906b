"""Builds tiny_model*.tflite: the real signature on a graph of a few operations, for tests without TensorFlow.

The mean colour of an image is compared with the eight corners of the RGB cube: class k is the corner whose
red, green and blue are bits 2, 1 and 0 of k. So a black image is class 0, a blue one class 1, a white one 7.
The distance is that from the nearest corner, in units of DISTANT.

Run in the training environment: ``.venv-training/bin/python -m tests.support.build_tiny_model``
"""

import tempfile
from typing import Any

import numpy as np
import tensorflow as tf

from serving.contract import (
    DISTANCE,
    EMBEDDING,
    EVIDENCE,
    IMAGE,
    PROBABILITIES,
    SIGNATURE,
)
from tests.support.tiny_model import CORNER_COLOURS, TINY_GRIDS, tiny_file

SHARPNESS = 8.0
DISTANT = 0.5  # of the side of the RGB cube


class NearestCorner(tf.Module):
    """Nearest corner of the RGB cube, in the form of a convolutional classifier with class evidence maps."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._square = size // TINY_GRIDS[size]
        picture = tf.TensorSpec((None, size, size, 3), tf.uint8, name=IMAGE)
        self.classify = tf.function(self._classify, input_signature=[picture])

    def _classify(self, image: Any) -> dict[str, Any]:
        corners = np.array([[k >> 2 & 1, k >> 1 & 1, k & 1] for k in range(len(CORNER_COLOURS))], np.float32)
        square = self._square
        features = tf.nn.avg_pool2d(tf.cast(image, tf.float32) / 255.0, square, square, "VALID")
        # -|x - c|^2 is 2 c.x - |c|^2 and a term that is the same for every class.
        evidence = tf.nn.conv2d(features, 2 * SHARPNESS * corners.T[None, None], 1, "VALID")
        logits = tf.reduce_mean(evidence, [1, 2]) - SHARPNESS * (corners**2).sum(axis=1)
        embedding = tf.reduce_mean(features, [1, 2])
        return {
            PROBABILITIES: tf.nn.softmax(logits),
            EVIDENCE: evidence,
            EMBEDDING: embedding,
            DISTANCE: tf.norm(embedding - tf.round(embedding), axis=1) / DISTANT,
        }


def main() -> None:
    for size in TINY_GRIDS:
        module = NearestCorner(size)
        with tempfile.TemporaryDirectory() as saved_model:
            tf.saved_model.save(module, saved_model, signatures={SIGNATURE: module.classify})
            converter = tf.lite.TFLiteConverter.from_saved_model(saved_model, signature_keys=[SIGNATURE])
            tiny_file(size).write_bytes(converter.convert())


if __name__ == "__main__":
    main()
