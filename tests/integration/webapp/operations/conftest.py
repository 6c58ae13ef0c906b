from collections.abc import Iterator

import pytest

from serving.contract import MODEL_NAME
from tests.support.embedded import embedded_server
from tests.support.tiny_model import make_version


@pytest.fixture
def model(settings, tmp_path) -> Iterator[None]:
    """A model server that has a model."""
    make_version(tmp_path / "models" / MODEL_NAME, 1)
    with embedded_server(tmp_path / "models") as server:
        settings.SERVING_TARGET, settings.SERVING_CHANNEL = server.target, None
        server.wait_ready()
        yield
