"""Whether a version folder can be served: by both kinds of server, with answers as the contract has them."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from serving.contract import SAVED_MODEL_FILE, ModelFolderError, ModelInfo
from serving.embedded.model import LoadedModel


def check_version(folder: Path) -> ModelInfo:
    """Load a version folder, ask its graph about a picture, and return what ``model.json`` says.

    Raises ModelFolderError when the folder is incomplete, contradicts itself, or answers what it must not.
    """
    saved_model = folder / SAVED_MODEL_FILE
    if not saved_model.is_file() or not saved_model.stat().st_size:
        raise ModelFolderError(f"{folder} has no {SAVED_MODEL_FILE}; it is not a complete model version")
    model = LoadedModel(folder, threads=1)
    model.check(model.run(0, _cell(model.info.input_size)))
    return model.info


def _cell(size: int) -> npt.NDArray[np.uint8]:
    """A violet disc on a pale ground: uint8 [size, size, 3]."""
    middle = (size - 1) / 2
    row, column = np.indices((size, size))
    picture = np.full((size, size, 3), (226, 216, 222), np.uint8)
    picture[np.hypot(row - middle, column - middle) < middle * 0.4] = (110, 70, 140)
    return picture
