"""Nothing is computed for a caller who has gone."""

import asyncio
import itertools
import time
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from serving.client import ModelClient
from serving.client.channel import open_channel
from serving.contract import MAX_BATCH
from serving.embedded.model import LoadedModel
from serving.embedded.server import EmbeddedServer
from serving.tensors import to_proto
from serving.wire import serving_pb2, serving_pb2_grpc

pytestmark = pytest.mark.enable_socket

IMAGE_S = 0.02


@pytest.mark.parametrize("goes", ["deadline", "cancel"])
def test_the_rest_of_an_abandoned_batch_is_not_computed(
    base: Path, monkeypatch: pytest.MonkeyPatch, goes: str
) -> None:
    computed = itertools.count()
    run = LoadedModel.run

    def slow_run(model: LoadedModel, thread: int, image: Any) -> Any:
        next(computed)
        time.sleep(IMAGE_S)
        return run(model, thread, image)

    request = serving_pb2.PredictRequest(
        model_spec=serving_pb2.ModelSpec(name="hematovision"),
        inputs={"image": to_proto(np.zeros((MAX_BATCH, 224, 224, 3), np.uint8))},
    )

    def ask_and_go(target: str) -> grpc.StatusCode:
        with open_channel(target) as channel:
            stub: Any = serving_pb2_grpc.PredictionServiceStub(channel)
            call = stub.Predict.future(request, timeout=IMAGE_S * 10 if goes == "deadline" else None)
            time.sleep(IMAGE_S * 10)
            call.cancel()
            code: grpc.StatusCode = call.code()
            return code

    async def scenario() -> tuple[grpc.StatusCode, int, int]:
        async with EmbeddedServer(
            base, host="127.0.0.1", port=0, threads=1, max_waiting=MAX_BATCH, poll_s=0.1
        ) as server:
            target = f"127.0.0.1:{server.port}"
            while not await asyncio.to_thread(ModelClient(target).ready, 1):
                await asyncio.sleep(0.05)
            monkeypatch.setattr(LoadedModel, "run", slow_run)
            code = await asyncio.to_thread(ask_and_go, target)
            await asyncio.sleep(IMAGE_S * 2)
            then = next(computed)
            await asyncio.sleep(IMAGE_S * 10)
            return code, then, next(computed) - 1

    code, then, later = asyncio.run(scenario())

    assert code in {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}
    assert 0 < then < MAX_BATCH / 2
    assert later == then
