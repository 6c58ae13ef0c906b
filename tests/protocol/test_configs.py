"""What tensorflow/serving reads: the files in serving/configs, and the models that publishing lists."""

from pathlib import Path
from typing import Any

import grpc_tools
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from grpc_tools import protoc

from serving.contract import MAX_BATCH, MODEL_NAME
from serving.model_config import CONFIG
from serving.wire.serving_pb2 import ModelServerConfig
from tests.support.tiny_model import make_version
from webapp.registry.folder import ModelRoot

CONFIGS = Path(__file__).parents[2] / "serving" / "configs"
MESSAGES = Path(__file__).with_name("tensorflow_serving_config.proto")
WELL_KNOWN = Path(grpc_tools.__file__).parent / "_proto"


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The message classes of MESSAGES by full name."""
    compiled = tmp_path_factory.mktemp("protos") / "set"
    arguments = [
        f"-I{MESSAGES.parent}",
        f"-I{WELL_KNOWN}",
        "--include_imports",
        f"--descriptor_set_out={compiled}",
    ]
    assert protoc.main(["protoc", *arguments, str(MESSAGES)]) == 0
    pool = descriptor_pool.DescriptorPool()
    files = descriptor_pb2.FileDescriptorSet.FromString(compiled.read_bytes()).file
    for file in files:
        pool.Add(file)
    return message_factory.GetMessageClassesForFiles([files[-1].name], pool)


def test_models_config_serves_every_model_that_has_a_version(tmp_path: Path) -> None:
    root = ModelRoot(tmp_path)
    for name in (MODEL_NAME, "lab-1"):
        make_version(tmp_path / name, 1, name=name)
    (tmp_path / "lab-2").mkdir()
    root.write_config("/models")

    config = text_format.Parse((tmp_path / CONFIG).read_text(), ModelServerConfig())

    models = config.model_config_list.config
    assert {model.name: model.base_path for model in models} == {
        MODEL_NAME: f"/models/{MODEL_NAME}",
        "lab-1": "/models/lab-1",
    }
    assert {model.model_version_policy.latest.num_versions for model in models} == {1}


def test_models_config_is_replaced_only_where_it_changes(tmp_path: Path) -> None:
    root = ModelRoot(tmp_path)
    make_version(tmp_path / MODEL_NAME, 1)
    root.write_config("/models")
    before = (tmp_path / CONFIG).stat()

    make_version(tmp_path / MODEL_NAME, 2)
    root.write_config("/models")
    assert (tmp_path / CONFIG).stat().st_ino == before.st_ino

    root.write_config("/elsewhere")
    assert (tmp_path / CONFIG).stat().st_ino != before.st_ino
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_batching_config_takes_a_whole_chunk(messages: Any) -> None:
    parameters = messages["tensorflow.serving.BatchingParameters"]()
    text_format.Parse((CONFIGS / "batching.config").read_text(), parameters)

    assert parameters.max_batch_size.value == MAX_BATCH
    sizes = list(parameters.allowed_batch_sizes)
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == MAX_BATCH
    assert parameters.num_batch_threads.value >= 1


def test_monitoring_config_lets_prometheus_in(messages: Any) -> None:
    monitoring = messages["tensorflow.serving.MonitoringConfig"]()
    text_format.Parse((CONFIGS / "monitoring.config").read_text(), monitoring)

    assert monitoring.prometheus_config.enable
    assert monitoring.prometheus_config.path == "/monitoring/prometheus/metrics"
