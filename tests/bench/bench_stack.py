"""Upload to result through the whole one-machine stack: images/s, latency, CPU and memory by process."""

import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from infra.client.client import Client
from infra.local.config.settings import Settings
from infra.local.stack import Stack, states


@dataclass(frozen=True)
class Measured:
    images: int
    seconds: float
    cpu_ms: dict[str, float]
    """CPU milliseconds per image by program; `client` is this process."""
    resident_mb: dict[str, float]
    start: float
    """Seconds from nothing to a ready page: the first start, which makes the database and the secrets."""
    p50: float
    p95: float
    """Seconds from upload to result of one image at a time."""

    @property
    def per_second(self) -> float:
        return self.images / self.seconds


def measure(sources: list[Path], images: int, single: int = 40) -> Measured:
    """Bench `images` distinct images made from `sources` in a stack of its own, then `single` one by one."""
    with tempfile.TemporaryDirectory(prefix="hematovision-bench-") as folder:
        home = Path(folder)
        files = list(_distinct(sources, images + single, home / "images"))
        settings = replace(Settings.from_environment(), home=home / "var", web_port=18460, base_port=18440)
        stack = Stack(settings)
        began = time.perf_counter()
        stack.start()
        start = time.perf_counter() - began
        try:
            token = _token(stack)
            with Client(settings.url, token) as client:
                # One small case first, so that connections and caches are as they are on any other day.
                _classify(client, "warm-up", files[:32])
                before, cpu_here = _cpu(home / "var"), time.process_time()
                started = time.perf_counter()
                _classify(client, "bench", files[:images])
                seconds = time.perf_counter() - started
                after = _cpu(home / "var")
                spent = {name: after[name] - before.get(name, 0) for name in after}
                spent["client"] = time.process_time() - cpu_here
                latencies = list(_one_by_one(client, files[images:]))
            return Measured(
                images=images,
                seconds=seconds,
                cpu_ms={name: 1000 * value / images for name, value in sorted(spent.items())},
                resident_mb=_memory(home / "var"),
                start=start,
                p50=statistics.median(latencies),
                p95=statistics.quantiles(latencies, n=20)[-1],
            )
        finally:
            stack.stop()


def _classify(client: Client, accession: str, files: list[Path]) -> None:
    case = client.open_case(accession)
    client.upload(case, files)
    done = client.wait(case.id)
    assert done.progress["classified"] == len(files), done.progress


def _one_by_one(client: Client, files: list[Path]) -> Iterator[float]:
    case = client.open_case("one by one")
    for number, file in enumerate(files, start=1):
        started = time.perf_counter()
        client.upload(case, [file])
        while client.case(case.id).progress["classified"] < number:
            time.sleep(0.01)
        yield time.perf_counter() - started


def _token(stack: Stack) -> str:
    made = stack.manage("create_lab", "Bench", "--member", "bench@example.org:technician", "--json")
    token: str = json.loads(made)["members"][0]["token"]
    return token


def _distinct(sources: list[Path], count: int, folder: Path) -> Iterator[Path]:
    """`count` files with different bytes: copies carry a number after the end of their source's picture."""
    folder.mkdir(parents=True)
    for number in range(count):
        source = sources[number % len(sources)]
        copy = folder / f"{number:05}{source.suffix}"
        copy.write_bytes(source.read_bytes() + number.to_bytes(8, "big"))
        yield copy


def _processes(home: Path) -> Iterator[tuple[str, psutil.Process]]:
    for state in states(home):
        try:
            parent = psutil.Process(state.pid)
            for process in (parent, *parent.children(recursive=True)):
                yield state.name, process
        except psutil.NoSuchProcess:
            continue


def _cpu(home: Path) -> dict[str, float]:
    total: dict[str, float] = {}
    for name, process in _processes(home):
        times = process.cpu_times()
        total[name] = total.get(name, 0) + times.user + times.system
    return total


def _memory(home: Path) -> dict[str, float]:
    """Proportional set size, so that pages shared by forked processes are not counted twice."""
    total: dict[str, float] = {}
    for name, process in _processes(home):
        total[name] = total.get(name, 0) + process.memory_full_info().pss / 1e6
    return total
