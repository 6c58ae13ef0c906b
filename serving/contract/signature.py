"""Names, shapes and limits of the model signature.

One signature, ``serving_default``. S, K, h, w and D are the version's own: its model.json has them.

===  =================  =======  ================  =========================================================
in   ``image``          uint8    [N, S, S, 3]      RGB 0-255; scaling lives inside the graph
out  ``probabilities``  float32  [N, K]            calibrated softmax over K labels, in model.json's order
out  ``evidence``       float32  [N, h, w, K]      class activation maps (Zhou et al. 2016): their mean over
                                                   h and w, plus a bias, is the logits
out  ``embedding``      float32  [N, D]            pooled features
out  ``distance``       float32  [N]               of the embedding from the suggested class's training cells
                                                   (Mahalanobis, shared covariance; Lee et al. 2018); above 1
                                                   is unlike anything the version was trained on
===  =================  =======  ================  =========================================================
"""

from collections.abc import Mapping
from typing import Final

MODEL_NAME: Final = "hematovision"
SIGNATURE: Final = "serving_default"

IMAGE: Final = "image"
PROBABILITIES: Final = "probabilities"
EVIDENCE: Final = "evidence"
EMBEDDING: Final = "embedding"
DISTANCE: Final = "distance"

CELLS: Final = "cells"
"""The kind of a model that is shown pictures of one cell each."""

OUTPUTS: Final[Mapping[str, Mapping[str, int]]] = {
    CELLS: {PROBABILITIES: 1, EVIDENCE: 3, EMBEDDING: 1, DISTANCE: 0}
}
"""What a model answers, by its kind: the name of each output, and its number of axes for one image."""

LEAST_INPUT_SIZE: Final = 32
LARGEST_INPUT_SIZE: Final = 512
"""Side of the square model input, in pixels: what any version may ask for. A full batch must be a message."""

MAX_BATCH: Final = 64
"""Most images in one Predict call. Must not exceed ``max_batch_size`` of the server."""

MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024
"""Largest message either end accepts, in bytes. A full batch of images takes 9.6 million at 224 pixels to a
side, 50.3 million at the most."""
