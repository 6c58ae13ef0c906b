"""Many cells in one JPEG, as the gallery shows them, so that a page of cells costs few requests."""

import io
from collections.abc import Sequence

from PIL import Image

COLUMNS = 12
# Pixels: twice what the gallery shows, for screens that show two for each. A multiple of 16, the side of a
# JPEG's block, so that no tile bleeds into its neighbour.
SIDE = 224
SMALL_SIDE = 112  # for screens that show one pixel for each
QUALITY = 65  # so that a page of some 200 cells stays under 1.5 MB
PAPER = (255, 255, 255)


def corner(place: int) -> tuple[int, int]:
    """Left and top, in pixels, of the tile at `place` (from 0, row by row)."""
    return place % COLUMNS * SIDE, place // COLUMNS * SIDE


def mosaic(tiles: Sequence[bytes | None], side: int = SIDE) -> bytes:
    """A JPEG of the tiles, each a JPEG itself, in order; white where there is none."""
    rows = -(-len(tiles) // COLUMNS)
    whole = Image.new("RGB", (min(len(tiles), COLUMNS) * side, rows * side), PAPER)
    for place, tile in enumerate(tiles):
        if tile is not None:
            left, top = corner(place)
            whole.paste(_small(tile, side), (left * side // SIDE, top * side // SIDE))
    out = io.BytesIO()
    whole.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _small(tile: bytes, side: int) -> Image.Image:
    picture = Image.open(io.BytesIO(tile), formats=["JPEG"])
    picture.draft("RGB", (side, side))  # of a larger one, decodes no more than is shown
    return picture.convert("RGB").resize((side, side))
