"""These tests speak gRPC over loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.contract import MODEL_NAME
from tests.support.embedded import RunningServer, embedded_server
from tests.support.tiny_model import make_version


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A folder of models with version 1 of ours in it."""
    make_version(tmp_path / MODEL_NAME, 1)
    return tmp_path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with version 1, for tests that change nothing."""
    base = tmp_path_factory.mktemp("models")
    make_version(base / MODEL_NAME, 1)
    with embedded_server(base) as running:
        running.wait_ready()
        yield running
