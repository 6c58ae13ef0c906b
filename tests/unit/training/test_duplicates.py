"""training.duplicates: pictures of one cell share a number, and pictures of different cells do not."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from infra.demo.cells import draw
from serving.contract import CELL_LABELS
from training.duplicates import SAME, difference_hash, groups


def apart(one: Image.Image, other: Image.Image) -> int:
    """Steps in which the hashes of two pictures differ."""
    return int(np.bitwise_count(difference_hash(one) ^ difference_hash(other)).sum())


@pytest.fixture(scope="module")
def drawn() -> list[Image.Image]:
    return [draw(label, seed) for label in CELL_LABELS for seed in range(3)]


def encoded(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=50)
    return Image.open(buffer)


@pytest.mark.parametrize(
    "change",
    [
        encoded,
        lambda image: image.resize((image.width // 2, image.height // 2)),
        lambda image: image.crop((5, 5, image.width - 5, image.height - 5)),
        lambda image: image.crop((6, 0, image.width, image.height - 6)),
        lambda image: image.point(lambda value: 0.8 * value),
    ],
    ids=["encoded again", "halved", "cut", "shifted", "darker"],
)
def test_a_changed_picture_is_known_again(
    drawn: list[Image.Image], change: Callable[[Image.Image], Image.Image]
) -> None:
    assert max(apart(image, change(image)) for image in drawn) <= SAME


def test_different_cells_are_told_apart(drawn: list[Image.Image]) -> None:
    assert len(set(groups([str(n) for n in range(24)], [difference_hash(image) for image in drawn]))) == 24


def test_a_picture_too_flat_has_no_hash() -> None:
    flat = Image.new("RGB", (96, 96), "white")
    flat.paste("purple", (30, 30, 60, 60))
    assert difference_hash(flat) is None


def bits(*ones: int) -> np.ndarray:
    """A hash with the given bits set."""
    return np.packbits(np.isin(np.arange(128), ones)).view(np.uint64)


def test_groups_join_equal_files_and_close_hashes_through_others() -> None:
    hashes = [bits(), bits(*range(SAME)), bits(*range(2 * SAME)), bits(*range(60, 128)), None, None, None]
    found = groups(["a", "b", "c", "d", "e", "f", "e"], hashes)
    assert found[0] == found[1] == found[2]
    assert found[4] == found[6]
    assert len(set(found)) == 4


def test_one_step_too_many_is_another_cell() -> None:
    assert len(set(groups(["a", "b"], [bits(), bits(*range(SAME + 1))]))) == 2
