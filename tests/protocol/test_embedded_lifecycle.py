"""The embedded server's versions come and go while it answers; and how it starts and stops."""

import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.channel import open_channel
from serving.client import ModelMissing
from serving.contract import MODEL_FILE
from serving.wire import serving_pb2, serving_pb2_grpc
from tests.support.embedded import RunningServer, embedded_server
from tests.support.model_client import model_client
from tests.support.tiny_model import make_version, tiny_outputs

pytestmark = pytest.mark.enable_socket

IMAGE = np.zeros((1, 224, 224, 3), np.uint8)


def reload(server: RunningServer, *configs: serving_pb2.ModelConfig) -> serving_pb2.ReloadConfigResponse:
    request = serving_pb2.ReloadConfigRequest()
    request.config.model_config_list.config.extend(configs)
    with open_channel(server.target) as channel:
        response = serving_pb2_grpc.ModelServiceStub(channel).HandleReloadConfigRequest(request)
    assert isinstance(response, serving_pb2.ReloadConfigResponse)
    return response


def config(base: Path, *versions: int, name: str = "hematovision", **labels: int) -> serving_pb2.ModelConfig:
    made = serving_pb2.ModelConfig(name=name, base_path=str(base / name), model_platform="tensorflow")
    made.version_labels.update(labels)
    if versions:
        made.model_version_policy.specific.versions.extend(versions)
    return made


def health(server: RunningServer) -> int:
    with open_channel(server.target) as channel:
        return int(health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest()).status)


def test_not_serving_until_a_version_is_loaded(tmp_path: Path) -> None:
    with embedded_server(tmp_path) as server:
        client = model_client(server.target)
        assert health(server) == health_pb2.HealthCheckResponse.NOT_SERVING
        assert not client.ready(timeout_s=1)
        with pytest.raises(ModelMissing, match="NOT_FOUND"):
            client.predict(IMAGE)

        make_version(tmp_path / "hematovision", 1)
        server.event("version available", version=1)

        assert client.predict(IMAGE).version == 1
        assert client.ready(timeout_s=1)
        assert health(server) == health_pb2.HealthCheckResponse.SERVING


def test_all_servers_of_a_name_are_asked_and_one_may_stop_without_a_lost_request(tmp_path: Path) -> None:
    for version, base in enumerate(("staying", "leaving"), start=1):
        make_version(tmp_path / base / "hematovision", version)
    with embedded_server(tmp_path / "staying") as staying, ThreadPoolExecutor() as pool:
        seen: list[int] = []
        stop = threading.Event()

        def ask() -> None:
            client = model_client(f"ipv4:{staying.target},{leaving.target}")
            while not stop.is_set():
                seen.append(client.predict(IMAGE).version)

        with embedded_server(tmp_path / "leaving") as leaving:
            staying.wait_ready()
            leaving.wait_ready()
            asking = pool.submit(ask)
            while set(seen) != {1, 2}:
                assert not asking.done(), asking.result()
                time.sleep(0.01)
        answered = len(seen)
        while len(seen) < answered + 5:
            assert not asking.done(), asking.result()
            time.sleep(0.01)
        stop.set()
        asking.result()


def test_a_new_version_takes_over_without_a_lost_request(base: Path) -> None:
    with embedded_server(base) as server:
        server.wait_ready()
        client = model_client(server.target)
        seen: list[int] = []
        stop = threading.Event()

        def ask() -> None:
            while not stop.is_set():
                seen.append(client.predict(IMAGE).version)

        with ThreadPoolExecutor() as pool:
            asking = pool.submit(ask)
            make_version(base / "hematovision", 2)
            server.event("version unloaded", version=1)
            stop.set()
            asking.result()

        assert set(seen) <= {1, 2}
        assert seen == sorted(seen)
        assert client.predict(IMAGE).version == 2
        assert client.status() == [(1, "END"), (2, "AVAILABLE")]


def test_a_broken_version_is_reported_and_the_old_one_stays(base: Path) -> None:
    with embedded_server(base) as server:
        server.wait_ready()
        client = model_client(server.target)

        outputs = {**tiny_outputs(), "probabilities": (2,), "evidence": (7, 7, 2)}
        labels = ("neutrophil", "lymphocyte")
        folder = make_version(base / "hematovision", 2, labels=labels, outputs=outputs)
        rejected = server.event("version rejected", version=2)

        assert "probabilities is float32 [8], not float32 [2]" in rejected["reason"]
        assert client.predict(IMAGE).version == 1
        assert client.status() == [(1, "AVAILABLE"), (2, "END")]
        with open_channel(server.target) as channel:
            request = serving_pb2.GetModelStatusRequest(model_spec=serving_pb2.ModelSpec(name="hematovision"))
            answer = serving_pb2_grpc.ModelServiceStub(channel).GetModelStatus(request)
        assert "not float32 [2]" in answer.model_version_status[1].status.error_message

        shutil.rmtree(folder)
        make_version(base / "hematovision", 2)
        server.event("version available", version=2)
        assert client.predict(IMAGE).version == 2


def test_a_folder_still_being_copied_is_left_alone(base: Path) -> None:
    with embedded_server(base) as server:
        server.wait_ready()
        folder = make_version(base / "hematovision", 2)
        model = (folder / MODEL_FILE).read_bytes()
        with (folder / MODEL_FILE).open("wb") as slow:
            for start in range(0, len(model), 300):
                slow.write(model[start : start + 300])
                slow.flush()
                time.sleep(0.1)
        server.event("version available", version=2)

        assert not [line for line in server.logged if line["event"] == "version rejected"]


def test_a_removed_version_is_unloaded_and_the_one_before_serves(base: Path) -> None:
    second = make_version(base / "hematovision", 2)
    with embedded_server(base) as server:
        server.event("version available", version=2)

        shutil.rmtree(second)
        server.event("version unloaded", version=2)

        assert model_client(server.target).predict(IMAGE).version == 1


def test_a_base_may_be_one_model_or_several(base: Path) -> None:
    make_version(base / "second", 7, name="second")
    with embedded_server(base) as server:
        server.wait_ready("hematovision")
        server.wait_ready("second")
        answer = model_client(server.target, model_name="second").predict(IMAGE)
        assert (answer.model_name, answer.version) == ("second", 7)
    with embedded_server(base / "second") as server:
        server.wait_ready("second")


def test_reload_chooses_versions_and_labels(base: Path) -> None:
    make_version(base / "hematovision", 2)
    with embedded_server(base) as server:
        server.event("version available", version=2)

        reload(server, config(base, 1, 2, stable=1))

        with open_channel(server.target) as channel:
            stub = serving_pb2_grpc.PredictionServiceStub(channel)
            labelled = serving_pb2.ModelSpec(name="hematovision", version_label="stable")
            request = serving_pb2.GetModelMetadataRequest(
                model_spec=labelled, metadata_field=["signature_def"]
            )
            assert stub.GetModelMetadata(request).model_spec.version.value == 1
        client = model_client(server.target)
        assert client.predict(IMAGE).version == 2

        reload(server, config(base, 1))
        assert client.predict(IMAGE).version == 1
        reload(server, config(base))
        assert client.predict(IMAGE).version == 2


def test_a_reload_that_cannot_be_met_changes_nothing(base: Path) -> None:
    make_version(base / "second", 1, name="wrong")
    with embedded_server(base) as server:
        server.wait_ready()
        rejected = {
            grpc.StatusCode.UNKNOWN: [config(base, 5)],
            grpc.StatusCode.NOT_FOUND: [config(base, name="nobody")],
            grpc.StatusCode.FAILED_PRECONDITION: [config(base, canary=9)],
            grpc.StatusCode.INVALID_ARGUMENT: [config(base), config(base)],
        }
        for code, configs in rejected.items():
            with pytest.raises(grpc.RpcError) as refusal:
                reload(server, *configs)
            assert refusal.value.code() == code
        with pytest.raises(grpc.RpcError, match="name is 'wrong' but it is served as 'second'"):
            reload(server, config(base), config(base, name="second"))

        client = model_client(server.target)
        assert client.predict(IMAGE).version == 1
        make_version(base / "hematovision", 2)
        server.event("version available", version=2)


def test_told_to_stop_it_ends_well(base: Path) -> None:
    with embedded_server(base) as server:
        server.wait_ready()
        server.process.terminate()

        assert server.process.wait(timeout=10) == 0
        assert server.event("stopped")


def test_a_taken_port_is_named_with_the_option_that_moves_it(server: RunningServer, tmp_path: Path) -> None:
    port = server.target.rpartition(":")[2]

    second = subprocess.run(
        [
            *(sys.executable, "-m", "serving.embedded", "--any-version"),
            *("--model-base", str(tmp_path), "--port", port),
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert second.returncode == 1
    assert f"127.0.0.1:{port}" in second.stderr
    assert "--port" in second.stderr
