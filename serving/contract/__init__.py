"""The one truth shared by training, servers, workers and web: classes, signature, pixels, folder, review."""

from serving.contract.classes import CELL_CLASSES, CELL_LABELS, CellClass
from serving.contract.files import HEAD, OPENINGS, OTHER_SUFFIXES, SUFFIXES, opens_like_a_picture
from serving.contract.model_folder import (
    MODEL_FILE,
    MODEL_JSON,
    SAVED_MODEL_FILE,
    BaseVersion,
    ModelFolderError,
    ModelInfo,
    read_file,
)
from serving.contract.preprocessing import to_model_input
from serving.contract.review import is_unlike, is_unsure
from serving.contract.signature import (
    CELLS,
    DISTANCE,
    EMBEDDING,
    EVIDENCE,
    IMAGE,
    LARGEST_INPUT_SIZE,
    LEAST_INPUT_SIZE,
    MAX_BATCH,
    MAX_MESSAGE_BYTES,
    MODEL_NAME,
    OUTPUTS,
    PROBABILITIES,
    SIGNATURE,
)

__all__ = [
    "CELLS",
    "CELL_CLASSES",
    "CELL_LABELS",
    "DISTANCE",
    "EMBEDDING",
    "EVIDENCE",
    "HEAD",
    "IMAGE",
    "LARGEST_INPUT_SIZE",
    "LEAST_INPUT_SIZE",
    "MAX_BATCH",
    "MAX_MESSAGE_BYTES",
    "MODEL_FILE",
    "MODEL_JSON",
    "MODEL_NAME",
    "OPENINGS",
    "OTHER_SUFFIXES",
    "OUTPUTS",
    "PROBABILITIES",
    "SAVED_MODEL_FILE",
    "SIGNATURE",
    "SUFFIXES",
    "BaseVersion",
    "CellClass",
    "ModelFolderError",
    "ModelInfo",
    "is_unlike",
    "is_unsure",
    "opens_like_a_picture",
    "read_file",
    "to_model_input",
]
