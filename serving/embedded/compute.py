"""The compute threads, and the queue of images in front of them."""

import asyncio
import heapq
import itertools
import threading
import time
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from serving.embedded import limits
from serving.embedded.model import LoadedModel, Outputs


class QueueFullError(Exception):
    """So many images are waiting that this request would only time out."""


@dataclass(order=True)
class _Job:
    """One request. The images before `started` have been handed out, `finished` of them are done."""

    due: float
    serial: int
    model: LoadedModel = field(compare=False)
    images: npt.NDArray[np.uint8] = field(compare=False)
    outputs: Outputs = field(compare=False)
    answer: asyncio.Future[Outputs] = field(compare=False)
    started: int = field(default=0, compare=False)
    finished: int = field(default=0, compare=False)


class ComputePool:
    """Spreads the images of all waiting requests over a fixed number of threads.

    A thread that is free takes the next image of the most urgent request. Urgency is arrival time plus an
    allowance for each image, so a single cell overtakes waiting batches while a batch cannot be put off for
    ever, and equal batches are finished one after the other instead of all at the end.

    `run` and `close` belong to the event loop's thread.
    """

    def __init__(self, threads: int, *, max_waiting: int) -> None:
        self.threads = threads
        self._max_waiting = max_waiting
        self._serial = itertools.count()
        self._queue: list[_Job] = []
        self._waiting = 0
        self._closed = False
        self._changed = threading.Condition()
        self._workers = [
            threading.Thread(target=self._work, args=(thread,), name=f"compute-{thread}", daemon=True)
            for thread in range(threads)
        ]
        for worker in self._workers:
            worker.start()

    async def run(self, model: LoadedModel, images: npt.NDArray[np.uint8]) -> Outputs:
        """Every output of `model` for `images` (uint8 [N, S, S, 3], N >= 1), in their order.

        When the caller is cancelled, images not yet begun are dropped. Raises QueueFullError, or whatever the
        interpreter raised.
        """
        job = _Job(
            due=time.monotonic() + limits.ALLOWANCE_S * len(images),
            serial=next(self._serial),
            model=model,
            images=images,
            outputs={
                name: np.empty((len(images), *tensor.shape[1:]), np.float32)
                for name, tensor in model.outputs.items()
            },
            answer=asyncio.get_running_loop().create_future(),
        )
        with self._changed:
            if self._waiting + len(images) > self._max_waiting:
                raise QueueFullError(f"{self._waiting} images are waiting, {self._max_waiting} at most may")
            self._waiting += len(images)
            heapq.heappush(self._queue, job)
            self._changed.notify(len(images))
        try:
            return await job.answer
        finally:
            self._drop(job)

    def close(self) -> None:
        """Let the threads end what they are computing, and wait for that."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for worker in self._workers:
            worker.join()

    def _drop(self, job: _Job) -> None:
        """Take what is left of a request out of the queue."""
        with self._changed:
            if job.started < len(job.images):
                self._waiting -= len(job.images) - job.started
                self._queue.remove(job)
                heapq.heapify(self._queue)

    def _work(self, thread: int) -> None:
        while (piece := self._take()) is not None:
            job, index = piece
            try:
                for name, array in job.model.run(thread, job.images[index]).items():
                    job.outputs[name][index] = array
            except Exception as error:  # noqa: BLE001 - it is the caller's, whatever it is
                self._settle(job, error)
            else:
                self._settle(job, None)

    def _take(self) -> tuple[_Job, int] | None:
        """The next image to compute, when there is one; None when the pool is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed)
            if self._closed:
                return None
            job = self._queue[0]
            index = job.started
            job.started += 1
            self._waiting -= 1
            if job.started == len(job.images):
                heapq.heappop(self._queue)
            return job, index

    def _settle(self, job: _Job, error: Exception | None) -> None:
        with self._changed:
            job.finished += 1
            complete = job.finished == len(job.images)
        if error is not None or complete:
            job.answer.get_loop().call_soon_threadsafe(_resolve, job, error)


def _resolve(job: _Job, error: Exception | None) -> None:
    if job.answer.done():  # the caller has gone, or another image failed first
        return
    if error is not None:
        job.answer.set_exception(error)
    else:
        job.answer.set_result(job.outputs)
