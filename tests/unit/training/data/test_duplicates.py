"""training.data.duplicates: pictures of one cell share a number, and pictures of different cells do not."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageOps

from infra.demo.cells import DRAWN, draw
from tests.support.present import present
from training.data.duplicates import SAME, detail, groups


@pytest.fixture(scope="module")
def drawn() -> list[Image.Image]:
    return [draw(label, seed) for label in DRAWN for seed in range(3)]


def encoded(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=50)
    return Image.open(buffer)


def under_another_lamp(image: Image.Image) -> Image.Image:
    """Bluish, darker, and darker still to the right."""
    ramp = Image.linear_gradient("L").rotate(90).resize(image.size).point(lambda value: 160 + value // 3)
    return ImageChops.multiply(image, Image.merge("RGB", [ramp.point(lambda v: 0.6 * v), ramp, ramp]))


def beside_a_margin(image: Image.Image) -> Image.Image:
    """Cut and filled up with black, as at the edge of a field."""
    black = Image.new("RGB", image.size)
    black.paste(image.crop((40, 0, image.width, image.height)), (40, 0))
    return black


@pytest.mark.parametrize(
    "change",
    [
        encoded,
        lambda image: image.resize((image.width // 2, image.height // 2)),
        lambda image: ImageOps.crop(image, 5),
        lambda image: image.crop((8, 0, image.width, image.height - 8)),
        under_another_lamp,
        beside_a_margin,
    ],
    ids=["encoded again", "halved", "cut", "shifted", "another lamp", "margin"],
)
def test_a_changed_picture_is_known_again(
    drawn: list[Image.Image], change: Callable[[Image.Image], Image.Image]
) -> None:
    assert min(present(detail(image)) @ present(detail(change(image))) for image in drawn) >= SAME


def test_different_cells_are_told_apart(drawn: list[Image.Image]) -> None:
    assert len(set(groups([str(n) for n in range(24)], [detail(image) for image in drawn]))) == 24


def test_a_picture_too_flat_is_not_compared() -> None:
    flat = Image.new("RGB", (96, 96), "white")
    flat.paste("purple", (30, 30, 60, 60))
    assert detail(flat) is None


def at(angle: float) -> np.ndarray:
    """A detail that correlates with another by the cosine of the angle between them."""
    return np.array([np.cos(angle), np.sin(angle)], np.float32)


def test_groups_join_equal_files_and_similar_pictures_through_others() -> None:
    near = np.arccos(SAME) - 1e-3
    found = groups(list("abcdefe"), [at(0), at(near), at(2 * near), at(3), None, None, None])
    assert found[0] == found[1] == found[2]
    assert found[4] == found[6]
    assert len(set(found)) == 4


def test_less_similar_is_another_cell() -> None:
    assert len(set(groups(list("ab"), [at(0), at(np.arccos(SAME) + 1e-3)]))) == 2
