"""What hostile pictures cost the decoder, and what its own process costs a good one.

``python -m tests.bench.bench_hostile [PART OF A NAME]``
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from serving.decoder.pool import Decoders
from serving.decoder.refused import FileRefused
from tests.support.hostile import hostile_pictures

MAX_PIXELS = 25_000_000


@dataclass(frozen=True)
class Cost:
    """Of one picture, in a decoder that is up; the peak is of its process's memory, from its start."""

    size: int
    seconds: float
    cpu_s: float
    peak_mb: float
    outcome: str


def measure(part: str = "") -> dict[str, Cost]:
    """Each picture with `part` in its name in a fresh decoder process, so that its peak is its own."""
    return {name: cost(make()) for name, make in hostile_pictures().items() if part in name}


def cost(data: bytes) -> Cost:
    decoders = Decoders(1, max_pixels=MAX_PIXELS)
    try:
        decoders.read(_WARM, size=224)
        (process,) = (child for child in psutil.Process().children() if "serving.decoder" in child.cmdline())
        before, began = _cpu(process), time.perf_counter()
        try:
            found = decoders.read(data, size=224)
            outcome = f"taken, {found.width}×{found.height}"
        except FileRefused as refused:
            outcome = f"{refused.reason}: {refused}"
        seconds = time.perf_counter() - began
        return Cost(len(data), seconds, _cpu(process) - before, _peak_mb(process), outcome)
    finally:
        decoders.close()


def table(costs: dict[str, Cost]) -> Table:
    shown = Table(
        "picture",
        "KB",
        "s",
        "CPU s",
        "peak MB",
        "outcome",
        title="Hostile pictures, each in a decoder of its own",
    )
    for name, one in costs.items():
        shown.add_row(
            name,
            f"{one.size / 1000:.0f}",
            f"{one.seconds:.2f}",
            f"{one.cpu_s:.2f}",
            f"{one.peak_mb:.0f}",
            one.outcome,
        )
    worst, largest = max(one.seconds for one in costs.values()), max(one.peak_mb for one in costs.values())
    shown.caption = f"{len(costs)} pictures; the slowest {worst:.2f} s, the largest {largest:.0f} MB"
    return shown


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return float("nan")
    return float(times.user + times.system)


def _peak_mb(process: psutil.Process) -> float:
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except OSError:
        return float("nan")  # killed
    return next((float(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM:")), float("nan"))


def _small_jpeg() -> bytes:
    from tests.support.hostile import flat

    return flat("JPEG", 64)


_WARM = _small_jpeg()

if __name__ == "__main__":
    Console(width=160).print(table(measure(*sys.argv[1:])))
