"""training.data.view: the middle of a picture."""

import numpy as np
import pytest

from training.data.view import view_side, view_slice


@pytest.mark.parametrize(("side", "view"), [(224, 160), (180, 128), (96, 68), (70, 50)])
def test_the_view_is_five_sevenths_of_the_picture_about_its_centre(side: int, view: int) -> None:
    seen = np.arange(side)[view_slice(side)]
    assert view_side(side) == len(seen) == view
    # Half a pixel off where picture and view cannot have the same centre.
    assert abs(seen.mean() - (side - 1) / 2) <= 0.5
