"""The tiles of a chunk in one object."""

import io

import numpy as np
from PIL import Image

from workers.tile_pack import tile_pack


def test_every_tile_is_a_picture_of_its_own_where_it_is_said_to_lie():
    tiles = [np.full((224, 224, 3), (20 * place, 100, 255 - 20 * place), np.uint8) for place in range(10)]
    pack, spans = tile_pack(tiles)
    assert [span.offset for span in spans] == [
        sum(span.length for span in spans[:place]) for place in range(10)
    ]
    assert sum(span.length for span in spans) == len(pack)
    for tile, span in zip(tiles, spans, strict=True):
        picture = Image.open(io.BytesIO(pack[span.offset : span.offset + span.length]))
        assert picture.size == (224, 224)
        assert np.abs(np.asarray(picture).astype(int) - tile).max() < 8
