"""What is told of cells, in one shape whether it comes with the page or is asked for later."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from webapp.cases.selectors import TILES_AT_ONCE
from webapp.inference.selectors import times_rerun
from webapp.review import cells
from webapp.review.models import Reading

Mosaic = Callable[[UUID, list[int]], str]
"""The address of a picture of cells of a case."""


def cells_json(reading: Reading, wanted: cells.Wanted, mosaic: Mosaic, **which: Any) -> dict[str, Any]:
    """A reading's cells by class; `which` as `cells.sections` takes it."""
    rerun = times_rerun(reading.case)  # before the cells: what comes meanwhile is told again, not left out
    sections = cells.sections(reading, wanted, **which)
    found = [row for section in sections for row in section.rows]
    drawn, mosaics = drawn_json(reading, found, mosaic)
    rows = iter(drawn)
    return {
        "revision": reading.revision,
        "suggestions": rerun,
        "sections": [
            {
                "class": section.code,
                "count": section.count,
                "undecided": section.undecided,
                "next": None if section.next is None else str(section.next),
                "cells": [next(rows) for _row in section.rows],
            }
            for section in sections
        ],
        "mosaics": mosaics,
        "people": cells.people(row.by for row in found),
    }


def drawn_json(
    reading: Reading, found: Sequence[cells.Row], mosaic: Mosaic
) -> tuple[list[list[Any]], list[str]]:
    """The rows, and the pictures that their cells are cut from."""
    ids = [row.cell for row in found]
    groups = [ids[start : start + TILES_AT_ONCE] for start in range(0, len(ids), TILES_AT_ONCE)]
    rows = [
        [
            row.cell,
            row.suggested,
            round(row.confidence, 3),
            int(row.flagged),
            row.decided,
            row.by,
            row.side,
            place // TILES_AT_ONCE,
            place % TILES_AT_ONCE,
            int(row.unlike),
        ]
        for place, row in enumerate(found)
    ]
    return rows, [mosaic(reading.case_id, group) for group in groups]
