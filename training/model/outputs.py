"""What a classifier says of many pictures, in batches."""

import math

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from rich.progress import track

from training.data.images import Pictures
from training.data.view import view_slice
from training.model.classifier import look_both_ways

EVALUATION_BATCH = 64


def outputs(
    model: keras.Model, decoded: Pictures, rows: NDArray[np.int64], what: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Uncalibrated logits [N,K] and embeddings [N,D] of the given rows of pictures uint8 [M,S,S,3]."""
    view = view_slice(decoded.shape[1])
    predict = tf.function(lambda batch: look_both_ways(model, tf.cast(batch, tf.float32)))
    batches = np.array_split(rows, math.ceil(len(rows) / EVALUATION_BATCH))
    found = [predict(tf.constant(decoded[batch][:, view, view])) for batch in track(batches, what)]
    logits, embeddings = ([part[name].numpy() for part in found] for name in ("logits", "embedding"))
    return np.concatenate(logits), np.concatenate(embeddings)
