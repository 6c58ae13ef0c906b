"""The compute pool: order, bounds, failures and cancelled callers, with a model that waits to be told."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from serving.embedded.compute import ComputePool, QueueFullError
from serving.embedded.model import LoadedModel, Outputs, Tensor
from tests.support.tiny_model import TINY_SHAPE


class Echo(LoadedModel):
    """Answers with an image's first value, when the gate is open; notes what it was asked."""

    def __init__(self) -> None:
        self.outputs = {"value": Tensor("value", "DT_FLOAT", (-1, 1))}
        self.gate = threading.Semaphore(0)
        self.asked: list[int] = []

    def run(self, thread: int, image: Any) -> Outputs:
        value = int(image.flat[0])
        self.asked.append(value)
        assert self.gate.acquire(timeout=10)
        if value == 255:
            raise RuntimeError("the interpreter failed")
        return {"value": np.array([value], np.float32)}


def images(*values: int) -> Any:
    return np.stack([np.full(TINY_SHAPE, value, np.uint8) for value in values])


@pytest.fixture
def model() -> Echo:
    return Echo()


@pytest.fixture
def pool(model: Echo) -> Iterator[ComputePool]:
    pool = ComputePool(1, max_waiting=100)
    yield pool
    model.gate.release(1000)
    pool.close()


async def begun(model: Echo, count: int) -> None:
    while len(model.asked) < count:
        await asyncio.sleep(0.001)


def test_answers_come_in_the_order_of_the_images(model: Echo) -> None:
    async def scenario() -> Any:
        pool = ComputePool(3, max_waiting=100)
        model.gate.release(20)
        outputs = await pool.run(model, images(*range(20)))
        pool.close()
        return outputs["value"].tolist()

    assert asyncio.run(scenario()) == [[n] for n in range(20)]


def test_a_single_image_overtakes_batches_and_batches_keep_their_order(
    model: Echo, pool: ComputePool
) -> None:
    async def scenario() -> None:
        first = asyncio.create_task(pool.run(model, images(*[1] * 30)))
        await begun(model, 1)
        second = asyncio.create_task(pool.run(model, images(*[2] * 30)))
        single = asyncio.create_task(pool.run(model, images(3)))
        await asyncio.sleep(0)
        model.gate.release(61)
        await asyncio.gather(first, second, single)

    asyncio.run(scenario())
    assert model.asked == [1, 3] + [1] * 29 + [2] * 30


def test_a_batch_is_not_put_off_for_ever(
    model: Echo, pool: ComputePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.embedded.limits.ALLOWANCE_S", 0.0001)

    async def scenario() -> None:
        busy = asyncio.create_task(pool.run(model, images(0)))
        await begun(model, 1)
        batch = asyncio.create_task(pool.run(model, images(*[1] * 30)))
        await asyncio.sleep(0.05)
        single = asyncio.create_task(pool.run(model, images(2)))
        await asyncio.sleep(0)
        model.gate.release(32)
        await asyncio.gather(busy, batch, single)

    asyncio.run(scenario())
    assert model.asked == [0] + [1] * 30 + [2]


def test_a_full_queue_rejects_and_takes_again_when_there_is_room(model: Echo, pool: ComputePool) -> None:
    async def scenario() -> None:
        waiting = asyncio.create_task(pool.run(model, images(*[1] * 60)))
        await begun(model, 1)
        with pytest.raises(QueueFullError, match="59 images are waiting"):
            await pool.run(model, images(*[2] * 42))
        also = asyncio.create_task(pool.run(model, images(*[3] * 41)))
        await asyncio.sleep(0)
        model.gate.release(101)
        await asyncio.gather(waiting, also)
        model.gate.release(100)
        await pool.run(model, images(*[4] * 100))

    asyncio.run(scenario())
    assert 2 not in model.asked


def test_a_cancelled_request_leaves_the_queue(model: Echo, pool: ComputePool) -> None:
    async def scenario() -> None:
        goes = asyncio.create_task(pool.run(model, images(*[1] * 100)))
        await begun(model, 1)
        goes.cancel()
        with pytest.raises(asyncio.CancelledError):
            await goes
        model.gate.release(101)
        await pool.run(model, images(*[2] * 100))

    asyncio.run(scenario())
    assert model.asked == [1] + [2] * 100


def test_a_failing_interpreter_fails_its_request_alone(model: Echo, pool: ComputePool) -> None:
    async def scenario() -> Any:
        model.gate.release(100)
        with pytest.raises(RuntimeError, match="interpreter failed"):
            await pool.run(model, images(1, 255, *[2] * 50))
        return (await pool.run(model, images(7)))["value"].tolist()

    assert asyncio.run(scenario()) == [[7]]
