"""The small pictures of a chunk's cells in one object, one behind the other, of which pages read parts."""

import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from webapp.inference.answers import Span


def tile_pack(tiles: Sequence[npt.NDArray[np.uint8]]) -> tuple[bytes, list[Span]]:
    """A JPEG of each of the uint8 [h, w, 3] tiles, in order, and where each lies."""
    out = io.BytesIO()
    spans = []
    for tile in tiles:
        begin = out.tell()
        Image.fromarray(tile).save(out, "JPEG", quality=85)
        spans.append(Span(begin, out.tell() - begin))
    return out.getvalue(), spans
