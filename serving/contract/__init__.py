"""The one truth shared by training, servers and workers: labels, signature, pixels, version folder."""

from serving.contract.model_folder import (
    MODEL_FILE,
    MODEL_JSON,
    ModelFolderError,
    ModelInfo,
)
from serving.contract.preprocessing import to_model_input
from serving.contract.signature import (
    CELL_LABELS,
    EMBEDDING,
    EVIDENCE,
    IMAGE,
    INPUT_SHAPE,
    INPUT_SIZE,
    MAX_BATCH,
    MAX_MESSAGE_BYTES,
    MODEL_NAME,
    PROBABILITIES,
    SIGNATURE,
)

__all__ = [
    "CELL_LABELS",
    "EMBEDDING",
    "EVIDENCE",
    "IMAGE",
    "INPUT_SHAPE",
    "INPUT_SIZE",
    "MAX_BATCH",
    "MAX_MESSAGE_BYTES",
    "MODEL_FILE",
    "MODEL_JSON",
    "MODEL_NAME",
    "PROBABILITIES",
    "SIGNATURE",
    "ModelFolderError",
    "ModelInfo",
    "to_model_input",
]
