"""The model's answers as a worker writes them down."""

import json
import time

import numpy as np
import pytest

from serving.client import Predictions
from serving.contract import MODEL_JSON
from tests.support.tiny_model import TINY_LABELS, make_version
from webapp.cases.boxes import Box
from webapp.cases.models import Image
from webapp.inference.answers import Span
from webapp.inference.models import Chunk
from webapp.registry.models import ModelVersion
from webapp.storage import objects
from workers.chunks import NotBegun, Prepared, _answers, _prepare, _store_tiles

TILES = [Span(10 * place, 10) for place in range(4)]


@pytest.fixture
def version(tmp_path):
    document = json.loads((make_version(tmp_path) / MODEL_JSON).read_text())
    return ModelVersion(
        name="hematovision",
        version=1,
        labels=document["labels"],
        review_threshold=document["review_threshold"],
        info=document,
    )


def prepared(n):
    return [
        Prepared(
            image=Image(id=number),
            pixels=np.zeros((224, 224, 3), np.uint8),
            width=360,
            height=363,
            sha256=b"",
            size=1,
            object_version="",
            media_type="image/jpeg",
            display_key="",
            again=False,
        )
        for number in range(n)
    ]


def predictions(confidences, distances):
    n = len(confidences)
    probabilities = np.zeros((n, 8), np.float32)
    probabilities[:, 0], probabilities[:, 1] = confidences, 1 - np.array(confidences)
    return Predictions(
        model_name="hematovision",
        version=1,
        probabilities=probabilities,
        evidence=np.zeros((n, 7, 7, 8), np.float32),
        embedding=np.zeros((n, 16), np.float32),
        distance=np.array(distances, np.float32),
    )


def test_a_cell_is_flagged_where_the_model_is_unsure_or_has_seen_nothing_like_it(version):
    halves = [predictions([0.9, 0.4], [0.2, 0.2]), predictions([0.9, 0.9], [1.0, 1.5])]
    answers = _answers(prepared(4), TILES, halves, version)
    assert [answer.image_id for answer in answers] == [0, 1, 2, 3]
    first, second = TINY_LABELS[:2]
    assert [answer.cells[0].box for answer in answers] == [Box(0, 0, 360, 363)] * 4
    assert [answer.cells[0].tile for answer in answers] == TILES
    cells = [answer.cells[0] for answer in answers]
    # The second's best is the other class, at 0.6: sure enough for a threshold of 0.5.
    assert [cell.cell_class for cell in cells] == [first, second, first, first]
    assert [cell.flagged for cell in cells] == [False, False, False, True]
    assert [cell.distance for cell in cells] == pytest.approx([0.2, 0.2, 1.0, 1.5])


def test_below_the_threshold_a_cell_is_flagged(version):
    version.info["review_threshold"] = 0.95
    (answer,) = _answers(prepared(1), TILES[:1], [predictions([0.9], [0.2])], version)
    assert answer.cells[0].flagged


def test_a_pack_of_other_tiles_has_another_key(monkeypatch):
    stored = {}
    monkeypatch.setattr(objects, "put", lambda key, body, content_type: stored.update({key: body}))
    chunk = Chunk(id=7, lab_id="lab", case_id="case")
    few, same, more = (_store_tiles(chunk, prepared(n)) for n in (2, 2, 3))
    assert few == same
    assert few[0] != more[0]
    assert few[0].startswith("labs/lab/cases/case/tiles/7-")
    assert len(stored) == 2


def test_an_image_whose_turn_has_not_come_in_time_is_not_even_fetched():
    image = Image(id=7)
    assert _prepare(image, 224, time.monotonic() - 1) == NotBegun(image)
