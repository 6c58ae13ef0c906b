"""ModelClient against a server that answers as it is told."""

import inspect
import multiprocessing
import time
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc
import numpy as np
import pytest

from serving.client import (
    ModelClient,
    ModelError,
    ModelMissing,
    ModelRejected,
    ModelTimeout,
    ModelUnavailable,
)
from serving.wire import serving_pb2, serving_pb2_grpc
from tests.support.embedded import RunningServer
from tests.support.model_client import model_client
from tests.support.tensors import to_proto
from tests.support.tiny_model import CORNER_COLOURS

ATTEMPTS = 4

pytestmark = pytest.mark.enable_socket

IMAGES = np.zeros((2, 224, 224, 3), np.uint8)
OK = grpc.StatusCode.OK


class Scripted(serving_pb2_grpc.PredictionServiceServicer):
    """Gives one status after the other; the last one for ever."""

    def __init__(self) -> None:
        self.script = [OK]
        self.slow_s = 0.0
        self.response = answer()
        self.calls = 0
        self.metadata: dict[str, str] = {}

    def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802
        code = self.script[min(self.calls, len(self.script) - 1)]
        self.calls += 1
        self.metadata = dict(context.invocation_metadata())
        time.sleep(self.slow_s)
        if code is not OK:
            context.abort(code, "as the script says")
        return self.response


def answer(count: int = 2, **changes: Any) -> serving_pb2.PredictResponse:
    outputs = {
        "probabilities": np.full((count, 8), 0.125, np.float32),
        "evidence": np.zeros((count, 7, 7, 8), np.float32),
        "embedding": np.ones((count, 16), np.float32),
        "distance": np.full(count, 0.5, np.float32),
    }
    spec = serving_pb2.ModelSpec(name="hematovision")
    spec.version.value = 12
    protos = {name: to_proto(array) for name, array in {**outputs, **changes}.items() if array is not None}
    return serving_pb2.PredictResponse(model_spec=spec, outputs=protos)


@pytest.fixture
def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
def client(scripted: Scripted) -> Iterator[ModelClient]:
    server = grpc.server(futures.ThreadPoolExecutor(2))
    serving_pb2_grpc.add_PredictionServiceServicer_to_server(scripted, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    client = model_client(f"127.0.0.1:{port}", deadline_s=2, attempts=ATTEMPTS, first_pause_s=0.01)
    yield client
    client.close()
    server.stop(0).wait()


def test_predictions_are_read(client: ModelClient) -> None:
    predictions = client.predict(IMAGES)

    assert (predictions.model_name, predictions.version) == ("hematovision", 12)
    assert predictions.probabilities.tolist() == [[0.125] * 8] * 2
    assert predictions.evidence.shape == (2, 7, 7, 8)
    assert predictions.embedding.shape == (2, 16)
    assert predictions.distance.tolist() == [0.5, 0.5]


def test_what_goes_with_the_call_arrives(client: ModelClient, scripted: Scripted) -> None:
    client.predict(IMAGES, metadata={"traceparent": "00-one-two-01"})

    assert scripted.metadata["traceparent"] == "00-one-two-01"


@pytest.mark.parametrize(
    "busy", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.CANCELLED]
)
def test_a_server_that_is_down_full_or_stopping_is_asked_again(
    client: ModelClient, scripted: Scripted, busy: grpc.StatusCode
) -> None:
    scripted.script = [busy, busy, OK]

    assert client.predict(IMAGES).version == 12
    assert scripted.calls == 3


def test_the_number_of_attempts_is_bounded(client: ModelClient, scripted: Scripted) -> None:
    scripted.script = [grpc.StatusCode.UNAVAILABLE]

    with pytest.raises(ModelUnavailable, match="as the script says"):
        client.predict(IMAGES)
    assert scripted.calls == ATTEMPTS


def test_retries_end_with_the_deadline(
    client: ModelClient, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_first_pause_s", 10)
    scripted.script = [grpc.StatusCode.UNAVAILABLE]
    began = time.monotonic()

    with pytest.raises(ModelUnavailable):
        client.predict(IMAGES)
    assert time.monotonic() - began < 5


def test_a_slow_server_is_a_timeout_and_is_not_asked_again(client: ModelClient, scripted: Scripted) -> None:
    scripted.slow_s = 3

    with pytest.raises(ModelTimeout):
        client.predict(IMAGES)
    assert scripted.calls == 1


@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.UNIMPLEMENTED,
    ],
)
def test_a_rejection_is_not_retried(client: ModelClient, scripted: Scripted, code: grpc.StatusCode) -> None:
    scripted.script = [code]

    with pytest.raises(ModelRejected, match=code.name):
        client.predict(IMAGES)
    assert scripted.calls == 1


def test_a_model_that_is_still_loading_is_waited_for(client: ModelClient, scripted: Scripted) -> None:
    scripted.script = [grpc.StatusCode.NOT_FOUND]

    with pytest.raises(ModelMissing, match="NOT_FOUND"):
        client.predict(IMAGES)
    assert scripted.calls == ATTEMPTS


def test_a_server_that_fails_on_a_request_is_not_called_unavailable(
    client: ModelClient, scripted: Scripted
) -> None:
    scripted.script = [grpc.StatusCode.INTERNAL]

    with pytest.raises(ModelError) as caught:
        client.predict(IMAGES)
    assert type(caught.value) is ModelError
    assert scripted.calls == 1


@pytest.mark.parametrize(
    ("response", "says"),
    [
        (answer(count=1), "answered 2 images"),
        (answer(evidence=None), "evidence"),
        (answer(embedding=np.zeros((2, 3, 4), np.float32)), "embedding"),
        (answer(distance=np.zeros((2, 1), np.float32)), "distance"),
    ],
)
def test_an_answer_that_does_not_fit_is_rejected(
    client: ModelClient, scripted: Scripted, response: serving_pb2.PredictResponse, says: str
) -> None:
    scripted.response = response

    with pytest.raises(ModelRejected, match=says):
        client.predict(IMAGES)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((0, 224, 224, 3), np.uint8),
        np.zeros((65, 224, 224, 3), np.uint8),
        np.zeros((224, 224, 3), np.uint8),
        np.zeros((1, 224, 160, 3), np.uint8),
        np.zeros((1, 224, 224, 4), np.uint8),
        np.zeros((1, 224, 224, 3), np.float32),
    ],
)
def test_images_that_no_server_takes_are_not_sent(
    client: ModelClient, scripted: Scripted, images: np.ndarray[Any, Any]
) -> None:
    with pytest.raises(ValueError, match="images must be uint8"):
        client.predict(images)
    assert scripted.calls == 0


def test_clients_of_tests_are_as_patient_as_workers(settings: Any) -> None:
    given = inspect.signature(model_client).parameters
    assert given["deadline_s"].default == settings.MODEL_DEADLINE_SECONDS
    assert given["attempts"].default == settings.MODEL_MAX_ATTEMPTS
    assert given["first_pause_s"].default == settings.MODEL_RETRY_FIRST_SECONDS


def test_nobody_there_is_unavailable() -> None:
    client = model_client("127.0.0.1:1", first_pause_s=0.01)

    assert not client.ready(timeout_s=1)
    with pytest.raises(ModelUnavailable):
        client.status()
    with pytest.raises(ModelUnavailable):
        client.predict(IMAGES)


def test_a_client_made_before_a_fork_works_in_the_child(server: RunningServer) -> None:
    client = model_client(server.target)
    white = np.full((1, 224, 224, 3), CORNER_COLOURS[7], np.uint8)

    def classify(sender: Any) -> None:
        sender.send(int(client.predict(white).probabilities.argmax()))

    receiver, sender = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=classify, args=(sender,))
    child.start()

    assert receiver.poll(timeout=20)
    assert receiver.recv() == 7
    child.join()


def test_a_sites_proxy_is_not_for_the_model_server(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gRPC takes a proxy from the environment, even for loopback, unless NO_PROXY names the very address."""
    for name in ("grpc_proxy", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_grpc_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    client = model_client(server.target)
    assert len(client.predict(IMAGES).probabilities) == len(IMAGES)
    client.close()
