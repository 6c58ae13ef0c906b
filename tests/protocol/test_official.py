"""Server, client and .proto files against the official tensorflow-serving-api, in its own environment."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from serving.client import ModelMissing
from serving.contract import MAX_BATCH
from serving.model_config import CONFIG
from serving.wire import error_codes_pb2, framework_pb2, serving_pb2
from tests.support.embedded import embedded_server
from tests.support.model_client import model_client
from tests.support.tiny_model import make_version
from webapp.registry.folder import ModelRoot

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
OFFICIAL = Path(__file__).parent / "official"


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter of the protocol environment, made if need be."""
    uv = os.environ.get("UV") or shutil.which("uv")
    assert uv, "uv is needed to make the environment of the official package: put it on PATH or name it in UV"
    environment = ROOT / ".venv-protocol"
    made = subprocess.run(
        [uv, "sync", "--frozen", "--only-group", "protocol"],
        cwd=ROOT,
        env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(environment)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, f"the environment of the official package cannot be made:\n{made.stderr}"
    return environment / "bin" / "python"


@pytest.fixture(scope="module")
def official_server(python: Path) -> Iterator[str]:
    """Address of a server built from the official servicer."""
    server = subprocess.Popen(
        [python, OFFICIAL / "official_server.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=quiet(),
    )
    assert server.stdout is not None
    port = server.stdout.readline().strip()
    assert port.isdecimal(), f"the official server did not start (exit {server.wait(10)})"
    yield f"127.0.0.1:{port}"
    server.kill()
    server.wait()
    server.stdout.close()


def quiet(**more: str) -> dict[str, str]:
    return {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", **more}


def test_the_official_package_agrees_with_the_embedded_server_and_our_protos(
    python: Path, tmp_path: Path
) -> None:
    base = tmp_path / "models"
    for version in (1, 2):
        make_version(base / "hematovision", version)
    descriptors = FileDescriptorSet()
    for module in (error_codes_pb2, framework_pb2, serving_pb2):
        module.DESCRIPTOR.CopyToProto(descriptors.file.add())
    ModelRoot(base).write_config("/models")
    (tmp_path / "descriptors").write_bytes(descriptors.SerializeToString())

    with embedded_server(base) as server:
        server.event("version available", version=2)
        checks = subprocess.run(
            [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", OFFICIAL / "pytest.ini", OFFICIAL],
            env=quiet(
                EMBEDDED_SERVER=server.target,
                MODEL_BASE=str(base),
                OUR_DESCRIPTORS=str(tmp_path / "descriptors"),
                MODELS_CONFIG=str(base / CONFIG),
            ),
            capture_output=True,
            text=True,
            check=False,
        )

    assert checks.returncode == 0, checks.stdout + checks.stderr


def test_our_client_understands_a_server_built_from_the_official_servicer(official_server: str) -> None:
    client = model_client(official_server)
    images = np.zeros((MAX_BATCH, 224, 224, 3), np.uint8)
    images[:] = (np.arange(MAX_BATCH) % 8)[:, None, None, None]

    predictions = client.predict(images)

    assert (predictions.model_name, predictions.version) == ("hematovision", 3)
    assert predictions.probabilities.argmax(axis=1).tolist() == [n % 8 for n in range(MAX_BATCH)]
    assert predictions.probabilities.shape == (MAX_BATCH, 8)
    assert predictions.evidence.shape == (MAX_BATCH, 7, 7, 8)
    np.testing.assert_allclose(predictions.embedding, images[:, 0, 0])
    np.testing.assert_allclose(predictions.distance, images[:, 0, 0, 0] / 4)
    assert client.status() == [(3, "AVAILABLE")]
    assert client.ready(timeout_s=5)
    with pytest.raises(ModelMissing, match="NOT_FOUND"):
        model_client(official_server, model_name="nobody").predict(images[:1])
