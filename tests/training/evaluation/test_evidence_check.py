"""training.evaluation.evidence_check: finding the cell, and telling whether a map points at it."""

from dataclasses import asdict

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from training.evaluation.evidence_check import Pointing, cell_mask, pointing, summarise, upper_otsu_threshold
from training.evaluation.intervals import Bootstrap

GLASS, RED_CELL, NUCLEUS = (250, 230, 205), (200, 156, 163), (74, 28, 130)
SIDE = 224


def smear(*discs: tuple[int, int, int, tuple[int, int, int]]) -> NDArray[np.uint8]:
    """Discs (x, y, radius, colour) on glass, a little out of focus."""
    image = Image.new("RGB", (SIDE, SIDE), GLASS)
    for x, y, radius, colour in discs:
        ImageDraw.Draw(image).ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return np.asarray(image.filter(ImageFilter.GaussianBlur(1)))


def square(top: int, left: int) -> NDArray[np.bool_]:
    """A cell of the size of one square of the 7 by 7."""
    cell = np.zeros((SIDE, SIDE), bool)
    cell[top : top + 32, left : left + 32] = True
    return cell


def test_the_nucleus_is_found_among_red_cells_that_touch_it() -> None:
    mask = cell_mask(smear((112, 150, 26, RED_CELL), (60, 112, 26, RED_CELL), (112, 112, 22, NUCLEUS)))
    assert mask is not None
    rows, columns = np.nonzero(mask)
    assert (rows.mean(), columns.mean()) == pytest.approx((112, 112), abs=1.5)
    assert 0.85 < mask.sum() / (np.pi * 22**2) < 1


def test_lobes_are_one_cell_with_what_is_between() -> None:
    mask = cell_mask(smear((100, 112, 11, NUCLEUS), (128, 112, 11, NUCLEUS), (60, 60, 26, RED_CELL)))
    assert mask is not None
    assert mask[112, 114]


@pytest.mark.parametrize(
    "picture",
    [smear(), smear((50, 50, 15, NUCLEUS)), smear((112, 112, 75, NUCLEUS)), smear((112, 112, 3, NUCLEUS))],
    ids=["nothing", "beside the middle", "too large", "too small"],
)
def test_what_is_no_single_cell_is_not_judged(picture: NDArray[np.uint8]) -> None:
    assert cell_mask(picture) is None


def test_the_upper_threshold_parts_the_darkest_of_three() -> None:
    values = np.repeat([0.1, 0.5, 1.6], [500, 300, 90]) + np.random.default_rng(0).normal(0, 0.05, 890)
    assert 0.6 < upper_otsu_threshold(values) < 1.5


def test_a_map_that_points_at_the_cell() -> None:
    evidence = np.zeros((7, 7))
    evidence[3, 3], evidence[1, 1], evidence[5, 5] = 3, 1, -9
    found = pointing(evidence, square(96, 96))
    assert isinstance(found, Pointing)
    assert asdict(found) == {
        "peak_inside": True,
        "peak_by_chance": pytest.approx(1 / 25),
        "share_inside": pytest.approx(3 / 4),
        "share_by_chance": pytest.approx(1 / 25),
        "offset": (pytest.approx(-0.5), pytest.approx(-0.5)),
    }


def test_a_map_that_points_beside_it() -> None:
    evidence = np.zeros((7, 7))
    evidence[2, 4] = 1
    found = pointing(evidence, square(96, 96))
    assert found is not None
    assert (found.peak_inside, found.share_inside) == (False, 0)
    assert found.offset == pytest.approx((-1, 1))


def test_a_cell_in_part_of_a_square_has_part_of_its_evidence() -> None:
    evidence = np.zeros((7, 7))
    evidence[3, 3] = 1
    found = pointing(evidence, square(96, 112))
    assert found is not None
    assert found.share_inside == pytest.approx(1 / 2)


def test_without_evidence_there_is_nothing_to_judge() -> None:
    assert pointing(np.full((7, 7), -1.0), square(96, 96)) is None


def test_only_right_answers_with_a_cell_are_counted() -> None:
    good, bad = Pointing(True, 0.1, 0.8, 0.1, (0, 0)), Pointing(False, 0.3, 0.2, 0.1, (1, 0.5))
    labels = np.zeros(4, int)
    summary = summarise(
        [good, bad, None, bad], np.array([True, True, True, False]), Bootstrap(labels, np.arange(4))
    )
    assert (summary.right, summary.checked) == (3, 2)
    assert summary.peak_inside.value == pytest.approx(1 / 2)
    assert summary.peak_by_chance.value == pytest.approx(0.2)
    assert summary.share_inside.value == pytest.approx(0.5)
    assert [offset.value for offset in summary.offset] == pytest.approx([0.5, 0.25])
