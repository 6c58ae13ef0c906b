"""Builds tiny_model.tflite: the real signature on a graph of a few operations, for tests without TensorFlow.

The mean colour of an image is compared with the eight corners of the RGB cube: class k is the corner whose
red, green and blue are bits 2, 1 and 0 of k. So a black image is class 0, a blue one class 1, a white one 7.
The distance is that from the nearest corner, in units of DISTANT.

Run in the training environment: ``.venv-training/bin/python -m tests.support.build_tiny_model``
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from serving.contract import (
    DISTANCE,
    EMBEDDING,
    EVIDENCE,
    IMAGE,
    INPUT_SHAPE,
    PROBABILITIES,
    SIGNATURE,
)
from tests.support.tiny_model import CORNER_COLOURS

GRID = 7
SHARPNESS = 8.0
DISTANT = 0.5  # of the side of the RGB cube


class NearestCorner(tf.Module):
    """Nearest corner of the RGB cube, in the form of a convolutional classifier with class evidence maps."""

    @tf.function(input_signature=[tf.TensorSpec((None, *INPUT_SHAPE), tf.uint8, name=IMAGE)])
    def classify(self, image: Any) -> dict[str, Any]:
        corners = np.array([[k >> 2 & 1, k >> 1 & 1, k & 1] for k in range(len(CORNER_COLOURS))], np.float32)
        cell = INPUT_SHAPE[0] // GRID
        features = tf.nn.avg_pool2d(tf.cast(image, tf.float32) / 255.0, cell, cell, "VALID")
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
    module = NearestCorner()
    with tempfile.TemporaryDirectory() as saved_model:
        tf.saved_model.save(module, saved_model, signatures={SIGNATURE: module.classify})
        model = tf.lite.TFLiteConverter.from_saved_model(saved_model, signature_keys=[SIGNATURE]).convert()
    target = Path(__file__).with_name("tiny_model.tflite")
    target.write_bytes(model)


if __name__ == "__main__":
    main()
