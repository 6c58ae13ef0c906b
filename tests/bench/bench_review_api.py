"""How fast a review is answered, in a small case and a large: gestures, what others did, the first cells.

`python -m tests.bench.bench_review_api`. In a stack of its own, with rows as workers leave them. Times are
those of a client on the same machine, with everything between it and the database.
"""

import json
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

from infra.local.config.environment import owner
from infra.local.config.secrets import Secrets
from infra.local.stack import Stack
from tests.bench import bench_case_page
from tests.support.stack import free_settings

SIZES = (1_000, 15_000)
CELLS_OF_A_GESTURE, GESTURES, TIMES, DIMENSIONS = 200, 40, 40, 1280
BOUNDS_MS = {"gesture on 200 cells": 100, "changes, none": 10, "first cells": 150}
"""What the 95th percentile must be below."""


@dataclass(frozen=True)
class Measured:
    cells: int
    ms: dict[str, list[float]]

    def p95(self, what: str) -> float:
        return statistics.quantiles(self.ms[what], n=20, method="inclusive")[-1]


def measure() -> list[Measured]:
    with tempfile.TemporaryDirectory(prefix="hematovision-bench-") as folder:
        home = Path(folder) / "var"
        os.environ["HEMATOVISION_API_RATE"] = "1000000/s"
        stack = Stack(free_settings(home))
        stack.start()
        try:
            given = f"--member={bench_case_page.EMAIL}:pathologist"
            made = json.loads(stack.manage("create_lab", "Bench", "--json", given))
            os.environ.update(stack.environment, **owner(stack.settings, Secrets.load(home)))
            from webapp.config.environment import set_up

            set_up()
            cases = {size: bench_case_page.fill(size) for size in SIZES}
            _embed()
            url, member = f"{stack.settings.url}/api/v1/", made["members"][0]
            asked = {"email": member["email"], "password": member["password"]}
            token = httpx.post(f"{url}tokens/", json=asked).json()["token"]
            headers = {"Authorization": f"Bearer {token}"}
            with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
                return [_measure(client, size, case) for size, case in cases.items()]
        finally:
            stack.stop()


def table(found: list[Measured]) -> Table:
    shown = Table("", "cells", "p50 ms", "p95 ms", "bound ms", title="A review by the API")
    for measured in found:
        for what, values in measured.ms.items():
            bound = str(BOUNDS_MS.get(what, ""))
            p50 = statistics.median(values)
            shown.add_row(what, str(measured.cells), f"{p50:.1f}", f"{measured.p95(what):.1f}", bound)
        shown.add_section()
    return shown


def _measure(client: httpx.Client, size: int, case: uuid.UUID) -> Measured:
    ms: dict[str, list[float]] = {}

    def timed(what: str, ask: Callable[[], httpx.Response]) -> Any:
        began = time.perf_counter()
        answer = ask()
        ms.setdefault(what, []).append(1000 * (time.perf_counter() - began))
        answer.raise_for_status()
        return answer.json() if answer.content else None

    reading = client.post(f"cases/{case}/readings/", json={"kind": "first"}).json()["id"]
    here, page = f"readings/{reading}/", str(uuid.uuid4())
    for _ in range(TIMES):
        told = timed("first cells", lambda: client.get(f"{here}cells/"))
        timed("the reading", lambda: client.get(here))
    ids = _all_cells(client, here)
    revision = told["revision"]
    for n in range(GESTURES):
        start = n * CELLS_OF_A_GESTURE % size
        wanted = ids[start : start + CELLS_OF_A_GESTURE]
        asked = {"gesture": str(uuid.uuid4()), "client": page, "base_revision": revision}
        if n % 2:
            asked["confirm"] = wanted
        else:
            asked["decisions"] = [{"cell": cell, "class": "band_neutrophil"} for cell in wanted]
        told = timed("gesture on 200 cells", lambda: client.post(f"{here}decisions/", json=asked))  # noqa: B023
        before, revision = revision, told["revision"]
        again = {"gesture": str(uuid.uuid4()), "client": page, "base_revision": revision}
        if n % 4 == 0:
            undo = {**again, "undo": asked["gesture"]}
            told = timed("undo of 200 cells", lambda: client.post(f"{here}decisions/", json=undo))  # noqa: B023
            revision = told["revision"]
        timed("changes, none", lambda: client.get(f"{here}changes/", params={"since": revision}))  # noqa: B023
        timed("changes, 200 cells", lambda: client.get(f"{here}changes/", params={"since": before}))  # noqa: B023
    for n in range(TIMES):
        timed("first cells, half decided", lambda: client.get(f"{here}cells/"))
        if n < TIMES // 4:
            timed("similar cells", lambda: client.get(f"{here}cells/{ids[n]}/similar/"))  # noqa: B023
    return Measured(size, ms)


def _all_cells(client: httpx.Client, here: str) -> list[int]:
    found: list[int] = []
    for section in client.get(f"{here}cells/", params={"limit": 1}).json()["sections"]:
        after = ""
        while after is not None:
            query = {"class": section["class"], "limit": 1000, **({"after": after} if after else {})}
            (told,) = client.get(f"{here}cells/", params=query).json()["sections"]
            found += [row[0] for row in told["cells"]]
            after = told["next"]
    return found


def _embed() -> None:
    """Give each cell an embedding, as large as the base model's, of one of a few hundred."""
    from django.db import connection

    rng = np.random.default_rng(7)
    some = [rng.normal(size=DIMENSIONS).astype("<f2").tobytes() for _ in range(300)]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE inference_prediction SET embedding = (%s::bytea[])[1 + cell_id %% 300]", [some]
        )
        cursor.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    Console().print(table(measure()))
