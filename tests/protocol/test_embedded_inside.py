"""What the embedded server does when its model is slow or fails, seen from inside."""

import asyncio
import time
from pathlib import Path
from typing import Any, Self

import grpc
import numpy as np
import pytest

from serving.channel import open_channel
from serving.contract import MAX_BATCH
from serving.embedded.model import LoadedModel
from serving.embedded.repository import ModelRepository
from serving.embedded.server import EmbeddedServer
from serving.wire import serving_pb2, serving_pb2_grpc
from tests.support.model_client import model_client
from tests.support.tensors import to_proto

pytestmark = pytest.mark.enable_socket

IMAGE_S = 0.02


REQUEST = serving_pb2.PredictRequest(
    model_spec=serving_pb2.ModelSpec(name="hematovision"),
    inputs={"image": to_proto(np.zeros((MAX_BATCH, 224, 224, 3), np.uint8))},
)


class SlowServer(EmbeddedServer):
    """One compute thread, and a model that needs IMAGE_S for each image."""

    def __init__(self, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(
            base, host="127.0.0.1", port=0, threads=1, max_waiting=MAX_BATCH, poll_s=0.1, publisher=None
        )
        self.computed = 0
        self.monkeypatch = monkeypatch

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        while not await asyncio.to_thread(model_client(self.target).ready, 1):
            await asyncio.sleep(0.05)
        run = LoadedModel.run

        def slow_run(model: LoadedModel, thread: int, image: Any) -> Any:
            self.computed += 1
            time.sleep(IMAGE_S)
            return run(model, thread, image)

        self.monkeypatch.setattr(LoadedModel, "run", slow_run)
        return self

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"


@pytest.mark.parametrize("goes", ["deadline", "cancel"])
def test_the_rest_of_an_abandoned_batch_is_not_computed(
    base: Path, monkeypatch: pytest.MonkeyPatch, goes: str
) -> None:
    def ask_and_go(target: str) -> grpc.StatusCode:
        with open_channel(target) as channel:
            stub: Any = serving_pb2_grpc.PredictionServiceStub(channel)
            call = stub.Predict.future(REQUEST, timeout=IMAGE_S * 10 if goes == "deadline" else None)
            time.sleep(IMAGE_S * 10)
            call.cancel()
            code: grpc.StatusCode = call.code()
            return code

    async def scenario() -> tuple[grpc.StatusCode, int, int]:
        async with SlowServer(base, monkeypatch) as server:
            code = await asyncio.to_thread(ask_and_go, server.target)
            await asyncio.sleep(IMAGE_S * 2)
            then = server.computed
            await asyncio.sleep(IMAGE_S * 10)
            return code, then, server.computed

    code, then, later = asyncio.run(scenario())

    assert code in {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}
    assert 0 < then < MAX_BATCH / 2
    assert later == then


def test_a_request_under_way_is_finished_before_the_server_ends(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> tuple[Any, int]:
        async with SlowServer(base, monkeypatch) as server:
            channel = grpc.aio.insecure_channel(server.target)
            stub: Any = serving_pb2_grpc.PredictionServiceStub(channel)
            asking = asyncio.create_task(_await(stub.Predict(REQUEST)))
            while server.computed < 3:
                await asyncio.sleep(IMAGE_S / 4)
        response = await asking
        await channel.close()
        return response, server.computed

    response, computed = asyncio.run(scenario())

    assert computed == MAX_BATCH
    assert response.outputs["probabilities"].tensor_shape.dim[0].size == MAX_BATCH


async def _await(call: Any) -> Any:
    return await call


def test_a_failing_model_is_an_internal_error_and_the_server_goes_on(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(model: LoadedModel, thread: int, image: Any) -> Any:
        raise RuntimeError("the interpreter failed")

    def code_of(target: str) -> grpc.StatusCode | None:
        with open_channel(target) as channel:
            code: grpc.StatusCode | None = (
                serving_pb2_grpc.PredictionServiceStub(channel).Predict.future(REQUEST).code()
            )
            return code

    async def scenario() -> list[grpc.StatusCode | None]:
        async with SlowServer(base, monkeypatch) as server:
            with monkeypatch.context() as broken:
                broken.setattr(LoadedModel, "run", fail)
                failed = await asyncio.to_thread(code_of, server.target)
            return [failed, await asyncio.to_thread(code_of, server.target)]

    assert asyncio.run(scenario()) == [grpc.StatusCode.INTERNAL, grpc.StatusCode.OK]


def test_a_failing_look_at_the_disk_does_not_end_the_watch(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync, failures = ModelRepository.sync, iter([MemoryError("no room for this version")])

    async def sometimes(repository: ModelRepository) -> None:
        for failure in failures:
            raise failure
        await sync(repository)

    monkeypatch.setattr(ModelRepository, "sync", sometimes)

    async def scenario() -> None:
        async with SlowServer(base, monkeypatch):
            pass  # it became ready

    asyncio.run(scenario())
