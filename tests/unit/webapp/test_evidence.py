import io

import numpy as np
import pytest
from PIL import Image

from webapp.inference.evidence import evidence_maps, overlay_png


def alpha(maps, class_index):
    picture = Image.open(io.BytesIO(overlay_png(maps, class_index)))
    assert picture.size == (224, 224)
    return np.asarray(picture)[..., 3]


def test_maps_come_back_as_they_were_kept():
    maps = np.random.default_rng(1).normal(size=(7, 7, 8)).astype("<f2")
    np.testing.assert_array_equal(evidence_maps(maps.tobytes(), 7), maps.astype(np.float32))


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
