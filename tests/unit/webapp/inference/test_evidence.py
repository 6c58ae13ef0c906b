import io

import numpy as np
import pytest
from PIL import Image

from webapp.inference.evidence import evidence_maps, overlay_png


def alpha(maps, class_index):
    picture = Image.open(io.BytesIO(overlay_png(maps, class_index)))
    assert picture.size == (224, 224)
    return np.asarray(picture)[..., 3]


@pytest.mark.parametrize("shape", [(7, 7, 8), (5, 9, 3), (1, 2, 2)])
def test_maps_come_back_as_they_were_kept(shape):
    maps = np.random.default_rng(1).normal(size=shape).astype("<f2")
    rows, _, classes = shape
    np.testing.assert_array_equal(evidence_maps(maps.tobytes(), rows, classes), maps.astype(np.float32))


@pytest.fixture
def maps():
    maps = np.full((7, 7, 2), -5, np.float32)
    maps[1, 1, 0] = 8
    maps[5, 5, 1] = 0.01
    return maps


def test_red_lies_where_the_evidence_is(maps):
    drawn = alpha(maps, 0)
    assert drawn[48, 48] > 150
    assert drawn[176, 176] == 0


def test_little_evidence_looks_little_beside_that_for_the_right_class(maps):
    assert alpha(maps, 1).max() < 5


def test_nothing_but_evidence_against_draws_nothing():
    assert alpha(np.full((7, 7, 2), -1, np.float32), 0).max() == 0


@pytest.mark.parametrize(("height", "width"), [(7, 7), (5, 5), (4, 8)])
def test_evidence_is_drawn_where_it_lies_whatever_the_grid(height, width):
    maps = np.zeros((height, width, 1), np.float32)
    maps[1, 2] = 3
    drawn = alpha(maps, 0).astype(float)
    rows, columns = np.indices(drawn.shape)
    centre = (drawn * rows).sum() / drawn.sum(), (drawn * columns).sum() / drawn.sum()
    assert centre == pytest.approx((1.5 * 224 / height - 0.5, 2.5 * 224 / width - 0.5), abs=1.5)


def test_a_rim_without_evidence_stays_clear():
    """The model looks at the middle of the picture, and says nothing of the rim."""
    maps = np.zeros((7, 7, 1), np.float32)
    maps[1:-1, 1:-1] = 1
    drawn = alpha(maps, 0)
    assert drawn[112, 112] > 150
    assert drawn[:16].max() == drawn[-16:].max() == drawn[:, :16].max() == drawn[:, -16:].max() == 0
