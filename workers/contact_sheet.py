"""One JPEG with the pixels of a whole chunk, so that a gallery of 64 cells is one request."""

import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from serving.contract import INPUT_SIZE

COLUMNS = 8


def contact_sheet(tiles: Sequence[npt.NDArray[np.uint8]]) -> bytes:
    """JPEG of uint8 [224, 224, 3] tiles, 8 a row, in order; the last row is filled with white."""
    rows = -(-len(tiles) // COLUMNS)
    sheet = np.full((rows * INPUT_SIZE, min(len(tiles), COLUMNS) * INPUT_SIZE, 3), 255, np.uint8)
    for place, tile in enumerate(tiles):
        top, left = (place // COLUMNS) * INPUT_SIZE, (place % COLUMNS) * INPUT_SIZE
        sheet[top : top + INPUT_SIZE, left : left + INPUT_SIZE] = tile
    out = io.BytesIO()
    Image.fromarray(sheet).save(out, "JPEG", quality=90, subsampling=0)
    return out.getvalue()
