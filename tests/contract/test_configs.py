"""The files in serving/configs are what tensorflow/serving reads, and fit our limits."""

from pathlib import Path
from typing import Any

import grpc_tools
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from grpc_tools import protoc

from serving.contract import MAX_BATCH, MODEL_NAME
from serving.wire.serving_pb2 import ModelServerConfig

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


def test_models_config_serves_our_model() -> None:
    config = text_format.Parse((CONFIGS / "models.config").read_text(), ModelServerConfig())

    (model,) = config.model_config_list.config
    assert model.name == MODEL_NAME
    assert Path(model.base_path).name == MODEL_NAME


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
