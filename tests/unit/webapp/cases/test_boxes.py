"""Boxes lie in their pictures."""

import pytest

from webapp.cases.boxes import Box, BoxOutsidePicture


@pytest.mark.parametrize("box", [Box(0, 0, 360, 363), Box(359, 362, 1, 1), Box(0, 0, 1, 363)])
def test_within(box):
    box.check_within(360, 363)


@pytest.mark.parametrize(
    "box",
    [
        Box(0, 0, 361, 363),
        Box(1, 0, 360, 363),
        Box(0, 363, 1, 1),
        Box(-1, 0, 5, 5),
        Box(0, -1, 5, 5),
        Box(3, 3, 0, 5),
        Box(3, 3, 5, 0),
        Box(3, 3, -2, 5),
    ],
)
def test_outside(box):
    with pytest.raises(BoxOutsidePicture):
        box.check_within(360, 363)
