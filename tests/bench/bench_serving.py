"""How much of what LiteRT can do on all cores is left when it is asked over gRPC.

``python -m tests.bench.bench_serving [VERSION FOLDER]``
"""

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil
from ai_edge_litert.interpreter import Interpreter
from rich.console import Console
from rich.table import Table

from serving.client import ModelClient
from serving.contract import IMAGE, MAX_BATCH, MODEL_FILE, MODEL_NAME, SIGNATURE, ModelInfo
from tests.support.embedded import RunningServer, embedded_server
from tests.support.model_client import model_client

MODELS = Path(__file__).parents[2] / "serving" / "models" / MODEL_NAME
CLIENTS = 3
"""Workers that ask at the same time: the next chunk is there when one is done."""
ROUND_S = 2.0
ROUNDS = 3
"""Limit and gRPC are measured in turns, and the best turn of each counts: other programs only lower it."""


@dataclass(frozen=True)
class Rate:
    per_second: float
    cpu_ms: dict[str, float]
    """CPU milliseconds per image by process."""


@dataclass(frozen=True)
class Measured:
    limits: dict[str, Rate]
    """LiteRT alone, by how interpreters, threads and batches are laid out."""
    grpc: Rate
    """Chunks of MAX_BATCH through the embedded server."""
    single_ms: float
    """Median time of a Predict with one image, nobody else asking."""
    resident_mb: float
    """The server's resident memory after all that."""

    @property
    def limit(self) -> float:
        return max(rate.per_second for rate in self.limits.values())

    @property
    def ratio(self) -> float:
        return self.grpc.per_second / self.limit


def newest_version() -> Path:
    """The newest committed version of the model."""
    return max(MODELS.iterdir(), key=lambda folder: int(folder.name) if folder.name.isdecimal() else -1)


def measure(version: Path) -> Measured:
    """Measure the model in a version folder on all cores of this machine."""
    cores = os.cpu_count() or 1
    layouts = {
        f"{count} × {threads} thread{'s' * (threads > 1)}, batch {batch}": _runners(
            version, count, threads, batch
        )
        for count, threads in dict.fromkeys([(1, cores), (cores, 1)])
        for batch in (1, 4, 32)
    }
    images = _images(MAX_BATCH)
    with embedded_server(version.parent) as server:
        server.wait_ready(ModelInfo.load(version).name)
        clients = [
            model_client(server.target, model_name=ModelInfo.load(version).name) for _ in range(CLIENTS)
        ]
        asks: list[Callable[[], int]] = [partial(_predict, client, images) for client in clients]
        here, there = {"bench": psutil.Process()}, _process(server)
        limits: dict[str, Rate] = {}
        grpc = Rate(0, {})
        for _ in range(ROUNDS):
            for layout, runners in layouts.items():
                limits[layout] = _best(limits.get(layout), _rate(runners, here))
            grpc = _best(grpc, _rate(asks, {**there, "client": psutil.Process()}))
        return Measured(
            limits=limits,
            grpc=grpc,
            single_ms=1000 * _median_seconds(lambda: clients[0].predict(images[:1])),
            resident_mb=next(iter(there.values())).memory_info().rss / 1e6,
        )


def _predict(client: ModelClient, images: npt.NDArray[np.uint8]) -> int:
    return len(client.predict(images).probabilities)


def _process(server: RunningServer) -> dict[str, psutil.Process]:
    return {"serving": psutil.Process(server.process.pid)}


def _images(count: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, 224, 224, 3), dtype=np.uint8)


def _runners(version: Path, count: int, threads: int, batch: int) -> list[Callable[[], int]]:
    """One function for each of `count` interpreters; a call classifies `batch` images."""
    images = _images(batch)
    model = str(version / MODEL_FILE)
    signatures = [
        Interpreter(model, num_threads=threads).get_signature_runner(SIGNATURE) for _ in range(count)
    ]

    def runner(signature: Callable[..., dict[str, npt.NDArray[np.float32]]]) -> Callable[[], int]:
        return lambda: len(next(iter(signature(**{IMAGE: images}).values())))

    return [runner(signature) for signature in signatures]


def _rate(runners: list[Callable[[], int]], processes: dict[str, psutil.Process]) -> Rate:
    """Images per second of all runners together, each in a thread of its own, for ROUND_S."""
    for run in runners:
        run()
    before = {name: _cpu_seconds(process) for name, process in processes.items()}
    began = time.perf_counter()

    def repeat(run: Callable[[], int]) -> int:
        done = 0
        while time.perf_counter() - began < ROUND_S:
            done += run()
        return done

    with ThreadPoolExecutor(len(runners)) as pool:
        done = sum(pool.map(repeat, runners))
    seconds = time.perf_counter() - began
    cpu_ms = {
        name: 1000 * (_cpu_seconds(process) - before[name]) / done for name, process in processes.items()
    }
    return Rate(done / seconds, cpu_ms)


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _best(one: Rate | None, other: Rate) -> Rate:
    return other if one is None or other.per_second > one.per_second else one


def _median_seconds(call: Callable[[], object], times: int = 50) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return float(np.median(taken))


def table(measured: Measured) -> Table:
    """The figures as a table."""
    shown = Table("", "images/s", "of the limit", "CPU ms per image", title="The model alone and over gRPC")

    def row(name: str, rate: Rate) -> None:
        cpu = ", ".join(f"{process} {value:.2f}" for process, value in rate.cpu_ms.items())
        shown.add_row(name, f"{rate.per_second:.0f}", f"{rate.per_second / measured.limit:.2f}", cpu)

    for layout, rate in measured.limits.items():
        row(f"LiteRT, {layout}", rate)
    row(f"gRPC, chunks of {MAX_BATCH} from {CLIENTS} clients", measured.grpc)
    shown.caption = f"one image {measured.single_ms:.1f} ms; server {measured.resident_mb:.0f} MB resident"
    return shown


if __name__ == "__main__":
    Console().print(table(measure(Path(sys.argv[1]) if len(sys.argv) > 1 else newest_version())))
