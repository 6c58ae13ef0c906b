import io

import numpy as np
from PIL import Image

from workers.contact_sheet import contact_sheet


def test_tiles_lie_eight_a_row():
    tiles = [np.full((224, 224, 3), (20 * place, 100, 255 - 20 * place), np.uint8) for place in range(10)]
    sheet = Image.open(io.BytesIO(contact_sheet(tiles)))
    assert sheet.size == (8 * 224, 2 * 224)
    for place, tile in enumerate(tiles):
        centre = sheet.getpixel((place % 8 * 224 + 112, place // 8 * 224 + 112))
        assert np.abs(np.array(centre) - tile[0, 0]).max() < 6


def test_one_cell_is_one_tile():
    assert Image.open(io.BytesIO(contact_sheet([np.zeros((224, 224, 3), np.uint8)]))).size == (224, 224)
