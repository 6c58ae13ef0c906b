"""One JPEG with the pixels of a whole chunk, so that a gallery of 64 cells is one request."""

import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from webapp.inference.sheet import COLUMNS, TILE, corner


def contact_sheet(tiles: Sequence[npt.NDArray[np.uint8]]) -> bytes:
    """JPEG of uint8 [224, 224, 3] tiles, 8 a row, in order; the last row is filled with white."""
    rows = -(-len(tiles) // COLUMNS)
    sheet = np.full((rows * TILE, min(len(tiles), COLUMNS) * TILE, 3), 255, np.uint8)
    for place, tile in enumerate(tiles):
        left, top = corner(place)
        sheet[top : top + TILE, left : left + TILE] = tile
    out = io.BytesIO()
    Image.fromarray(sheet).save(out, "JPEG", quality=90, subsampling=0)
    return out.getvalue()
