"""What a browser loads to show a case of 15,000 cells, and how long that takes.

`python -m tests.bench.bench_case_page`. In a stack of its own, with rows as workers leave them; the least
sure cells of each class, which the page shows, lie all over the case.
"""

import json
import os
import random
import statistics
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, Response, sync_playwright
from rich.console import Console

from infra.demo import cells
from infra.local.config.environment import owner
from infra.local.config.secrets import Secrets
from infra.local.stack import Stack
from serving.contract import CELL_LABELS
from tests.support.stack import free_settings

CHROMIUM = os.environ.get("HEMATOVISION_CHROMIUM", "/usr/bin/chromium")
CELLS, CHUNK, GRID = 15_000, 64, 7
TIMES = 5
EMAIL = "t@example.org"
WINDOW = (1440, 900)
TALL = (1440, 8000)  # all that the page shows is on the screen, so that nothing is left unloaded


@dataclass(frozen=True)
class Loaded:
    """One page, with nothing kept from before."""

    bytes: int
    requests: int
    seconds: float
    """Until the part on the screen is drawn with its pictures."""


def sentence() -> str:
    with tempfile.TemporaryDirectory(prefix="hematovision-bench-") as folder:
        home = Path(folder) / "var"
        stack = Stack(free_settings(home))
        stack.start()
        try:
            member = f"--member={EMAIL}:technician"
            made = json.loads(stack.manage("create_lab", "Bench", "--json", member))
            os.environ.update(stack.environment, **owner(stack.settings, Secrets.load(home)))
            from webapp.config.environment import set_up

            set_up()
            case = fill()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                try:
                    return _sentence(browser, stack.settings.url, made["members"][0], case)
                finally:
                    browser.close()
        finally:
            stack.stop()


def _sentence(browser: Browser, url: str, member: dict[str, Any], case: uuid.UUID) -> str:
    page = browser.new_context().new_page()
    page.goto(url)
    page.get_by_label("E-mail").fill(member["email"])
    page.get_by_label("Password").fill(member["password"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/worklist/")
    said = []
    for name, query, size in (
        ("all classes", "", WINDOW),
        ("all classes, to the end", "", TALL),
        ("one class", "?class=neutrophil", WINDOW),
    ):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        found = [_load(page, f"{url}/cases/{case}/{query}") for _ in range(TIMES)]
        said.append(
            f"{name}: {found[-1].bytes / 1e6:.2f} MB in {found[-1].requests} requests, "
            f"ready in {statistics.median(one.seconds for one in found):.2f} s"
        )
    return f"The page of a case of {CELLS} cells: " + "; ".join(said) + "."


def _load(page: Page, address: str) -> Loaded:
    """Load the page as one that has never been here, but for the cookie of the session."""
    fresh = page.context.new_page()
    session = page.context.new_cdp_session(fresh)
    session.send("Network.enable")
    session.send("Network.clearBrowserCache")
    fresh.set_viewport_size(page.viewport_size or {"width": WINDOW[0], "height": WINDOW[1]})
    sizes: list[int] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    answers: list[Response] = []
    fresh.on("response", lambda answer: answers.append(answer))
    began = time.perf_counter()
    fresh.goto(address, wait_until="load")  # with every picture that the page names
    seconds = time.perf_counter() - began
    fresh.wait_for_load_state("networkidle")
    wrong = [answer.url for answer in answers if answer.status >= 400]
    assert not wrong, wrong
    assert fresh.locator(".tile").count() >= 24
    fresh.close()
    return Loaded(sum(sizes), len(answers), seconds)


def fill(size: int = CELLS) -> uuid.UUID:
    """A case of so many cells of all classes, a pack of drawn ones for each chunk; returns its id."""
    from django.db import connection
    from django_scopes import scope

    from webapp.accounts.models import User
    from webapp.cases.models import Case
    from webapp.inference.models import Chunk
    from webapp.labs.models import Lab
    from webapp.registry.models import ModelVersion
    from webapp.storage import objects
    from workers.tile_pack import tile_pack

    rng = random.Random(7)
    labels = list(CELL_LABELS)
    drawn = [cells.draw(labels[n % len(labels)], n).convert("RGB").resize((224, 224)) for n in range(CHUNK)]
    pack, spans = tile_pack([np.asarray(picture) for picture in drawn])
    lab = Lab.objects.get()
    with scope(lab=lab):
        case = Case.objects.create(
            lab=lab, accession=f"Bench {size}", created_by=User.objects.get(email=EMAIL)
        )
        version, _ = ModelVersion.objects.get_or_create(
            name="bench",
            version=1,
            defaults={"labels": labels, "review_threshold": 0.6, "info": {}},
        )
        chunks = Chunk.objects.bulk_create(
            Chunk(lab=lab, case=case, queue="bulk", state="done") for _ in range(-(-size // CHUNK))
        )
    keys = [f"labs/{lab.id}/cases/{case.id}/tiles/{chunk.id}" for chunk in chunks]
    for key in keys:
        objects.put(key, pack, "application/octet-stream")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH image AS (
                INSERT INTO cases_image (lab_id, case_id, name, key, status, refusal, bytes,
                    object_version, width, height, sha256, display_key, created_at)
                SELECT %(lab)s::uuid, %(case)s::uuid, 'cell ' || n || '.jpg', %(case)s::text || '/' || n,
                    'classified', '', 20000, '', 360, 363, sha256(n::text::bytea), '', now()
                FROM generate_series(0, %(cells)s - 1) AS n
                RETURNING id, split_part(key, '/', 2)::int AS n
            ), pack AS (
                INSERT INTO cases_tilepack (lab_id, case_id, key)
                SELECT %(lab)s::uuid, %(case)s::uuid, key FROM unnest(%(keys)s::text[]) AS key RETURNING id
            ), packs AS (
                SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM pack
            ), chunked AS (
                INSERT INTO inference_chunkimage (image_id, chunk_id)
                SELECT id, (%(chunks)s::bigint[])[1 + n / %(chunk)s] FROM image
            ), cell AS (
                INSERT INTO cases_cell
                    (image_id, number, "left", top, width, height, pack_id, tile_offset, tile_length)
                SELECT image.id, 0, 0, 0, 360, 363, packs.id, (%(offsets)s::int[])[1 + n %% %(chunk)s],
                    (%(lengths)s::int[])[1 + n %% %(chunk)s]
                FROM image JOIN packs ON packs.place = n / %(chunk)s
                RETURNING id
            ), numbered AS (
                SELECT id, row_number() OVER (ORDER BY id) AS n FROM cell
            )
            INSERT INTO inference_prediction (cell_id, model_version_id, cell_class, confidence, flagged,
                probabilities, evidence, evidence_grid, embedding, distance)
            SELECT id, %(version)s, (%(labels)s::text[])[1 + n %% %(classes)s],
                (%(confidences)s::float8[])[n], (%(confidences)s::float8[])[n] < 0.6,
                %(probabilities)s::float8[], %(evidence)s, %(grid)s, '', 0.3
            FROM numbered
            """,
            {
                "lab": lab.id,
                "case": str(case.id),
                "cells": size,
                "keys": keys,
                "chunks": [chunk.id for chunk in chunks],
                "chunk": CHUNK,
                "offsets": [span.offset for span in spans],
                "lengths": [span.length for span in spans],
                "version": version.id,
                "labels": labels,
                "classes": len(labels),
                "confidences": [1 - 0.5 * rng.random() ** 3 for _ in range(size)],
                "probabilities": [1 / len(labels)] * len(labels),
                "evidence": bytes(2 * GRID * GRID * len(labels)),
                "grid": GRID,
            },
        )
        cursor.execute("ANALYZE")
    return case.id


if __name__ == "__main__":
    Console().print(sentence())
