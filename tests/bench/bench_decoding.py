"""What a process of its own costs a good picture: the same pictures decoded here by threads, and by decoders.

``python -m tests.bench.bench_decoding FOLDER``
"""

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

from infra.client.files import gather
from serving.decoder.picture import Picture
from serving.decoder.pool import Decoders
from serving.decoder.read import read

MAX_PIXELS = 25_000_000
SIZE = 224
DECODERS, FETCHERS = 2, 8  # as in workers.chunks
ROUNDS = 5  # in turns; the best of each counts, for other programs only lower it


@dataclass(frozen=True)
class Measured:
    """Images a second and CPU milliseconds an image, here and in decoders, and a decoder's memory."""

    here: float
    there: float
    cpu_here: float
    cpu_there: float
    resident_mb: float


def measure(files: list[Path]) -> Measured:
    pictures = [file.read_bytes() for file in files]
    decoders = Decoders(DECODERS, max_pixels=MAX_PIXELS)
    ways: list[Callable[[bytes], Picture]] = [
        partial(read, size=SIZE, max_pixels=MAX_PIXELS),
        partial(decoders.read, size=SIZE),
    ]
    rates, costs = [0.0, 0.0], [float("inf")] * 2
    with ThreadPoolExecutor(FETCHERS) as threads:
        list(threads.map(ways[1], pictures[:20]))
        for _ in range(ROUNDS):
            for place, way in enumerate(ways):
                cpu, began = _cpu(), time.perf_counter()
                list(threads.map(way, pictures))
                rates[place] = max(rates[place], len(pictures) / (time.perf_counter() - began))
                costs[place] = min(costs[place], 1000 * (_cpu() - cpu) / len(pictures))
    resident = [child.memory_full_info().pss / 1e6 for child in psutil.Process().children()]
    decoders.close()
    (here, there), (cpu_here, cpu_there) = rates, costs
    return Measured(here, there, cpu_here, cpu_there, max(resident))


def sentence(measured: Measured) -> str:
    return (
        f"Decoding: {measured.there:.0f} images/s in {DECODERS} decoders ({measured.cpu_there:.2f} CPU ms), "
        f"{measured.here:.0f} in threads ({measured.cpu_here:.2f}); "
        f"ratio {measured.there / measured.here:.2f}. "
        f"A decoder holds {measured.resident_mb:.0f} MB."
    )


def _cpu() -> float:
    this = psutil.Process()
    return sum(sum(process.cpu_times()[:2]) for process in (this, *this.children()))


if __name__ == "__main__":
    print(sentence(measure(gather(Path(sys.argv[1])).files)))  # noqa: T201
