"""The layout of a chunk's contact sheet, which workers draw and pages cut cells from."""

COLUMNS = 8
TILE = 224  # pixels: the model's input, so that what is shown is what was classified


def corner(place: int) -> tuple[int, int]:
    """Left and top, in pixels, of the tile at `place` (from 0, row by row)."""
    return place % COLUMNS * TILE, place // COLUMNS * TILE
