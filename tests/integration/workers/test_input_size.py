"""A worker decodes for the version that is published, and knows when the model server is not there yet."""

import json

import numpy as np
import pytest
from django.utils import timezone

from serving.client import ModelUnavailable
from serving.contract import MODEL_JSON, MODEL_NAME, ModelInfo
from tests.support.embedded import embedded_server
from tests.support.tiny_model import OTHER_SIZE, TINY_SIZE, make_version
from webapp.registry.models import ModelVersion
from workers import chunks

pytestmark = [pytest.mark.enable_socket, pytest.mark.django_db]


@pytest.fixture
def base(tmp_path, settings):
    """Where a model server with version 1, of the other input size, finds its versions."""
    folder = make_version(tmp_path / MODEL_NAME, 1, input_size=OTHER_SIZE)
    publish(folder)
    with embedded_server(tmp_path) as running:
        running.wait_ready()
        settings.SERVING_TARGET, settings.SERVING_CHANNEL = running.target, None
        forget()
        yield tmp_path
        forget()


def forget():
    chunks._model.cache_clear()
    chunks._version.cache_clear()


def publish(folder):
    info = ModelInfo.load(folder)
    return ModelVersion.objects.create(
        name=MODEL_NAME,
        version=info.version,
        labels=list(info.labels),
        review_threshold=info.review_threshold,
        info=json.loads((folder / MODEL_JSON).read_text()),
        published_at=timezone.now(),
    )


def pictures(size):
    return np.zeros((2, size, size, 3), np.uint8)


def test_it_asks_with_pictures_of_the_size_that_the_version_takes(base):
    assert chunks._input_size(MODEL_NAME) == OTHER_SIZE
    (answer,) = chunks._ask(MODEL_NAME, pictures(OTHER_SIZE))
    assert (answer.version, answer.evidence.shape) == (1, (2, 5, 5, 8))


def test_a_server_that_is_behind_the_registry_is_waited_for(base, tmp_path_factory):
    publish(make_version(tmp_path_factory.mktemp("not served"), 2))
    assert chunks._input_size(MODEL_NAME) == TINY_SIZE
    with pytest.raises(ModelUnavailable, match="another input size"):
        chunks._ask(MODEL_NAME, pictures(TINY_SIZE))


def test_nothing_is_decoded_where_nothing_is_published():
    with pytest.raises(chunks.VersionUnknown):
        chunks._input_size(MODEL_NAME)
