"""`make bench`: what the model does alone, over gRPC and through the whole stack; what decoding costs;
how fast people sign in; what the page of a large case costs; how fast a review is answered.

`IMAGES=folder` takes your pictures; without it cells are drawn. `COUNT=n` is how many go through the stack.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from infra.client.files import gather
from infra.demo import cells
from tests.bench import (
    bench_case_page,
    bench_decoding,
    bench_hostile,
    bench_serving,
    bench_sign_in,
    bench_stack,
)

COUNT = 1280


def main() -> None:
    console = Console()
    version = bench_serving.newest_version()
    console.print(f"Model version {version.name}; {os.cpu_count()} cores. Measuring for a few minutes…")
    serving = bench_serving.measure(version)
    console.print(bench_serving.table(serving))
    with tempfile.TemporaryDirectory() as folder:
        given = os.environ.get("IMAGES")
        sources = gather(Path(given)).files if given else cells.write(Path(folder), per_class=8, seed=3)
        console.print(bench_decoding.sentence(bench_decoding.measure(sources)))
        stack = bench_stack.measure(sources, int(os.environ.get("COUNT") or COUNT))
    console.print(bench_hostile.table(bench_hostile.measure()))
    console.print(bench_sign_in.sentence())
    console.print(bench_case_page.sentence())
    # In a process of its own: Django keeps the connections that the page's measurement had set up.
    subprocess.run([sys.executable, "-m", "tests.bench.bench_review_api"], check=True)
    console.print(_table(stack, serving.limit))


def _table(stack: bench_stack.Measured, limit: float) -> Table:
    shown = Table("", "CPU ms per image", "resident MB", title=f"The whole stack, {stack.images} images")
    for name in sorted({*stack.cpu_ms, *stack.resident_mb}, key=lambda name: -stack.cpu_ms.get(name, 0)):
        memory = stack.resident_mb.get(name)
        shown.add_row(name, f"{stack.cpu_ms.get(name, 0):.2f}", "" if memory is None else f"{memory:.0f}")
    shown.add_section()
    shown.add_row("all", f"{sum(stack.cpu_ms.values()):.2f}", f"{sum(stack.resident_mb.values()):.0f}")
    shown.caption = (
        f"upload to result: {stack.per_second:.1f} images/s, {stack.per_second / limit:.2f} of the limit\n"
        f"one image alone: {stack.p50:.2f} s (p50), {stack.p95:.2f} s (p95); first start {stack.start:.1f} s"
    )
    return shown


if __name__ == "__main__":
    main()
