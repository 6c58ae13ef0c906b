"""The embedded server answers with nothing but what was published, whoever writes its folder or asks it."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest

from serving.channel import open_channel
from serving.contract import MODEL_FILE, MODEL_JSON, MODEL_NAME
from serving.manifest import MANIFEST
from serving.wire import serving_pb2, serving_pb2_grpc
from tests.support.embedded import RunningServer, embedded_server
from tests.support.model_client import model_client
from tests.support.published import PUBLISHER, STRANGER, publish, sign
from tests.support.tiny_model import make_version

pytestmark = pytest.mark.enable_socket

IMAGE = np.zeros((1, 224, 224, 3), np.uint8)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """The folder of models, with version 1 of ours published in it."""
    publish(tmp_path / "models" / MODEL_NAME, 1)
    return tmp_path / "models"


@pytest.fixture
def server(models: Path) -> Iterator[RunningServer]:
    publisher = models.parent / "publisher"
    publisher.write_text(PUBLISHER.public)
    with embedded_server(models, "--publisher", str(publisher)) as running:
        running.wait_ready()
        yield running


def reload(server: RunningServer, base_path: Path, name: str = MODEL_NAME) -> None:
    request = serving_pb2.ReloadConfigRequest()
    request.config.model_config_list.config.add(
        name=name, base_path=str(base_path), model_platform="tensorflow"
    )
    with open_channel(server.target) as channel:
        serving_pb2_grpc.ModelServiceStub(channel).HandleReloadConfigRequest(request)


def answering(server: RunningServer) -> int:
    client = model_client(server.target)
    try:
        return client.predict(IMAGE).version
    finally:
        client.close()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda folder: (folder / MANIFEST).unlink(), "was not published"),
        (lambda folder: sign(folder, by=STRANGER), "not signed by the publisher"),
        (lambda folder: sign(folder, version=1), "is of hematovision 1"),
        (
            lambda folder: (folder / MODEL_FILE).write_bytes((folder / MODEL_FILE).read_bytes() + b"x"),
            MODEL_FILE,
        ),
        (
            lambda folder: (folder / MODEL_JSON).write_text((folder / MODEL_JSON).read_text() + " "),
            MODEL_JSON,
        ),
    ],
)
def test_what_was_not_published_so_does_not_answer(
    server: RunningServer, models: Path, spoil, why: str
) -> None:
    ready = publish(models.parent / "made" / MODEL_NAME, 2)
    spoil(ready)
    ready.rename(models / MODEL_NAME / "2")
    rejected = server.event("version rejected", version=2)
    assert why in rejected["reason"]
    assert answering(server) == 1


def test_a_version_that_is_signed_later_answers_then(server: RunningServer, models: Path) -> None:
    folder = make_version(models / MODEL_NAME, 2)
    server.event("version rejected", version=2)
    sign(folder)
    server.event("version available", version=2)
    assert answering(server) == 2


def test_no_configuration_leads_out_of_the_folder(
    server: RunningServer, models: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside" / MODEL_NAME
    publish(outside, 9)
    (models / "link").symlink_to(outside, target_is_directory=True)
    withdrawn = models / ".withdrawn" / MODEL_NAME
    publish(withdrawn, 9)
    for path in (
        outside,
        models / "link",
        models / MODEL_NAME / ".." / ".." / "outside" / MODEL_NAME,
        withdrawn,
    ):
        with pytest.raises(grpc.RpcError) as rejected:
            reload(server, path)
        assert rejected.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert "below the folder of models" in (rejected.value.details() or "")
    assert answering(server) == 1
    reload(server, models / MODEL_NAME)
    assert answering(server) == 1


def test_no_configuration_gives_a_version_another_models_name(server: RunningServer, models: Path) -> None:
    publish(models / "lab-x", 5, name="lab-x")
    with pytest.raises(grpc.RpcError, match="is of lab-x 5, not of hematovision 5"):
        reload(server, models / "lab-x")
    assert answering(server) == 1


def test_no_link_in_the_folder_leads_out_of_it(server: RunningServer, models: Path, tmp_path: Path) -> None:
    folder = publish(tmp_path / "outside" / MODEL_NAME, 2)
    (models / MODEL_NAME / "2").symlink_to(folder, target_is_directory=True)
    assert "leads out" in server.event("version rejected", version=2)["reason"]
    assert answering(server) == 1
