"""serving.contract.to_model_input: one picture in, one model input out, whatever the file held."""

import io

import numpy as np
import pytest
from PIL import Image

from serving.contract import to_model_input

EXIF_ORIENTATION = 0x0112
SIZE = 224


def solid(mode: str, colour: float | tuple[float, ...], size: tuple[int, int] = (300, 200)) -> Image.Image:
    return Image.new(mode, size, colour)


@pytest.mark.parametrize("wanted", [32, 160, 224, 512])
@pytest.mark.parametrize("size", [(224, 224), (360, 363), (1, 1), (3, 900), (4000, 30)])
def test_any_size_becomes_the_models_shape(size: tuple[int, int], wanted: int) -> None:
    pixels = to_model_input(solid("RGB", (10, 20, 30), size), wanted)

    assert pixels.shape == (wanted, wanted, 3)
    assert pixels.dtype == np.uint8
    assert (pixels == (10, 20, 30)).all()


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (solid("L", 77), (77, 77, 77)),
        (solid("1", 1), (255, 255, 255)),
        (solid("CMYK", (0, 255, 255, 0)), (255, 0, 0)),
        (solid("RGBA", (200, 0, 0, 255)), (200, 0, 0)),
        (solid("RGBA", (200, 0, 0, 0)), (255, 255, 255)),
        (solid("LA", (9, 0)), (255, 255, 255)),
        (solid("I;16", 0x7F00), (127, 127, 127)),
        (solid("I", 0xFFFF), (255, 255, 255)),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else "",
)
def test_every_pixel_format_becomes_rgb(image: Image.Image, expected: tuple[int, int, int]) -> None:
    assert (to_model_input(image, SIZE) == expected).all()


def test_transparent_palette_entry_is_white() -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 200, 10, 10])
    image.info["transparency"] = 1

    assert (to_model_input(image, SIZE) == 255).all()


@pytest.mark.parametrize("mode", ["F", "LAB"])
def test_a_format_without_meaning_as_a_picture_is_refused(mode: str) -> None:
    with pytest.raises(ValueError, match=mode):
        to_model_input(Image.new(mode, (10, 10)), SIZE)


def test_centre_square_is_kept_and_the_sides_are_cut() -> None:
    image = solid("RGB", (255, 0, 0), (400, 200))
    image.paste((0, 0, 255), (100, 0, 300, 200))

    assert (to_model_input(image, SIZE) == (0, 0, 255)).all()


def test_exif_orientation_is_applied() -> None:
    upright = Image.new("RGB", (64, 64), "white")
    upright.paste((0, 0, 0), (0, 0, 64, 20))
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6  # the camera was turned: rotate by 90 degrees clockwise to show
    stored = io.BytesIO()
    upright.rotate(90, expand=True).save(stored, "PNG", exif=exif)
    stored.seek(0)

    np.testing.assert_array_equal(to_model_input(Image.open(stored), SIZE), to_model_input(upright, SIZE))


def test_shrinking_is_antialiased() -> None:
    stripes = np.zeros((1792, 1792, 3), np.uint8)
    stripes[:, ::2] = 255

    # Without a low-pass filter every sampled column would be all black or all white.
    assert np.abs(to_model_input(Image.fromarray(stripes), SIZE).astype(int) - 127).max() < 10


def test_the_argument_is_not_changed() -> None:
    image = solid("RGBA", (1, 2, 3, 4))
    before = image.tobytes()

    to_model_input(image, SIZE)

    assert (image.mode, image.size, image.tobytes()) == ("RGBA", (300, 200), before)
