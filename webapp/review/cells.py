"""The cells of a case as somebody goes through them in a reading: by class, what must be looked at first."""

import heapq
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import BooleanField, Count, IntegerField, Q, QuerySet, Value, When
from django.db.models import Case as Switch
from psycopg import Cursor

from serving.contract import is_unlike
from webapp.accounts.models import User
from webapp.cases.models import Cell
from webapp.hematology.classes import REVIEW_ORDER
from webapp.inference.models import Prediction
from webapp.review.classes import last_decision
from webapp.review.models import CellState, Decision, Gesture, Reading
from webapp.review.selectors import current_of_case

EMBEDDINGS_AT_ONCE = 2000  # rows of some kilobytes that are in memory at a time


@dataclass(frozen=True)
class Row:
    """One cell. `side` is that of its picture in pixels of the original: cells are drawn at one scale."""

    cell: int
    shown: str
    suggested: str
    confidence: float
    flagged: bool
    decided: str | None
    by: int | None
    side: int
    unlike: bool


@dataclass(frozen=True)
class Place:
    """Where a section goes on: behind which of its cells."""

    decided: bool
    confidence: float
    cell: int

    @classmethod
    def of(cls, row: Row) -> "Place":
        return cls(row.decided is not None, row.confidence, row.cell)

    @classmethod
    def read(cls, text: str) -> "Place":
        """As `str` wrote it.

        Raises:
            ValueError: it did not.
        """
        decided, confidence, cell = text.split("_")
        if decided not in ("0", "1") or not 0 <= float(confidence) <= 1 or not 0 <= int(cell) < 2**63:
            raise ValueError(text)
        return cls(decided == "1", float(confidence), int(cell))

    def __str__(self) -> str:
        return f"{int(self.decided)}_{self.confidence!r}_{self.cell}"


START = Place(False, 0.0, 0)


@dataclass(frozen=True)
class Wanted:
    """Which cells: all that are not said otherwise."""

    undecided: bool = False
    min_confidence: float | None = None
    max_confidence: float | None = None
    by: int | None = None
    file: str = ""

    def of(self, cells: "QuerySet[Any]") -> "QuerySet[Any]":
        if self.undecided:
            cells = cells.filter(decided_class=None)
        if self.min_confidence is not None:
            cells = cells.filter(confidence__gte=self.min_confidence)
        if self.max_confidence is not None:
            cells = cells.filter(confidence__lte=self.max_confidence)
        if self.by is not None:
            cells = cells.filter(decided_by=self.by).exclude(decided_class=None)
        if self.file:
            cells = cells.filter(cell__image__name__icontains=self.file)
        return cells


@dataclass(frozen=True)
class Section:
    """The cells shown under a class; `rows` are some of its `count`."""

    code: str
    count: int
    undecided: int
    rows: list[Row] = field(default_factory=list)
    next: Place | None = None


def sections(
    reading: Reading, wanted: Wanted, *, limit: int, code: str = "", after: Place = START
) -> list[Section]:
    """Those of a case in the order of a review, with up to `limit` cells: the first sections whole, and as
    much of the next as there is room for.

    Args:
        code: that section alone, behind `after`.
    """
    found = wanted.of(_cells(reading))
    if code:
        found = found.filter(shown_class=code)
    counts = {
        shown: (count, undecided)
        for shown, count, undecided in found.values_list("shown_class")
        .annotate(n=Count("cell_id"), undecided=Count("cell_id", filter=Q(decided_class=None)))
        .order_by()
    }
    order = [one for one in REVIEW_ORDER if one in counts]
    room, begun = limit, []
    for one in order:
        if room > 0:
            begun.append(one)
        room -= counts[one][0]
    section = Switch(
        *(When(shown_class=one, then=Value(place)) for place, one in enumerate(begun)),
        default=Value(len(begun)),
        output_field=IntegerField(),
    )
    found = found.filter(shown_class__in=begun)
    if after != START:
        found = found.filter(_behind(after))
    # Before anything is decided there is nothing to order by.
    undecided_first = ("is_decided",) if reading.revision else ()
    order_by = ("section", *undecided_first, "confidence", "cell_id")
    rows = _rows(found.annotate(section=section).order_by(*order_by))
    by_code: dict[str, list[Row]] = {one: [] for one in order}
    for row in rows[: limit + 1] if begun else ():
        by_code[row[0]].append(_row(row))
    taken, made = 0, []
    for one in order:
        mine = by_code[one][: limit - taken]
        taken += len(mine)
        more = len(by_code[one]) > len(mine) or (len(mine) < counts[one][0] and not code)
        next_ = (Place.of(mine[-1]) if mine else START) if more else None
        made.append(Section(one, *counts[one], mine, next_))
    return made


def similar(reading: Reading, cell: Cell, limit: int) -> list[Row]:
    """The cells of the case that look most like `cell` to the model version that spoke of it, by the cosine
    between what it made of them; the cell itself is none of them."""
    of_it = (
        Prediction.objects.filter(cell=cell, current=True).values_list("model_version", "embedding").first()
    )
    if of_it is None or not of_it[1]:
        return []
    version, embedding = of_it
    wanted = _unit(_vectors([bytes(embedding)]))[0]
    ids = [
        other
        for other in current_of_case(reading.case, None)
        .filter(model_version=version)
        .values_list("cell_id", flat=True)
        if other != cell.pk
    ]
    nearest: list[tuple[float, int]] = []
    for start in range(0, len(ids), EMBEDDINGS_AT_ONCE):
        said = _embeddings(ids[start : start + EMBEDDINGS_AT_ONCE], version, len(embedding))
        if said:
            cosines = _unit(_vectors(list(said.values()))) @ wanted
            nearest = heapq.nsmallest(limit, [*nearest, *zip((-cosines).tolist(), said, strict=True)])
    by_cell = {row.cell: row for row in rows_of(reading, [cell_id for _, cell_id in nearest])}
    return [by_cell[cell_id] for _, cell_id in nearest if cell_id in by_cell]


def rows_of(reading: Reading, cells: Collection[int]) -> list[Row]:
    """Those cells of the reading's case, in no order."""
    return [_row(row) for row in _rows(_cells(reading).filter(cell__in=cells))]


@dataclass(frozen=True)
class Change:
    """How a cell is now: of no class where what was decided was taken back."""

    cell: int
    cell_class: str | None
    by: int | None
    number: int
    suggested: str | None = None
    flagged: bool | None = None


def changes(reading: Reading, since: int, *, but: Gesture | None = None) -> list[Change]:
    """The cells that were decided since a revision, as they are now, in the order of their last decisions.

    Args:
        but: leave out what came from the client of this gesture.
    """
    found = CellState.objects.filter(reading=reading, number__gt=since)
    if but:
        found = found.exclude(gesture__client=but.client)
    rows = found.order_by("number").values_list("cell_id", "cell_class", "by_id", "number")
    return [Change(cell, code or None, by, number) for cell, code, by, number in rows]


def applied(gesture: Gesture) -> "list[tuple[int, str, bool]]":
    """What came of a gesture: cell, class, whether it was confirmed."""
    numbers = {"number__gt": gesture.revision - gesture.n, "number__lte": gesture.revision}
    rows = Decision.objects.filter(reading=gesture.reading_id, **numbers).order_by("number")
    return list(rows.values_list("cell_id", "cell_class", "confirmed"))


def conflicts(reading: Reading, cells: Collection[int]) -> list[Change]:
    """Cells that a gesture was about and that it did not decide, as they are now: each decided by somebody
    else meanwhile, or suggested to be something else than its sender saw."""
    if not cells:
        return []
    rows = (
        _cells(reading)
        .filter(cell__in=cells)
        .values_list("cell_id", "decided_class", "decided_by", "decided_number", "cell_class", "flagged")
    )
    return [
        Change(cell, decided, by, number or 0, suggested, flagged)
        for cell, decided, by, number, suggested, flagged in rows
    ]


def people(ids: Iterable[int | None]) -> dict[int, str]:
    """The names of those with these ids."""
    wanted = {one for one in ids if one is not None}
    return {user.pk: str(user) for user in User.objects.filter(pk__in=wanted)} if wanted else {}


def _cells(reading: Reading) -> Any:
    """One row for each cell of the case: its current prediction, with what the reading decided."""
    found: QuerySet[Any] = current_of_case(reading.case, reading).annotate(
        **last_decision(reading),
        is_decided=Switch(
            When(decided_class=None, then=Value(False)), default=Value(True), output_field=BooleanField()
        ),
    )
    return found


def _rows(cells: "QuerySet[Any]") -> Any:
    side = ("cell__width", "cell__height")
    said = ("cell_class", "confidence", "flagged", "decided_class", "decided_by")
    return cells.values_list("shown_class", "cell_id", *said, *side, "distance")


def _row(values: tuple[Any, ...]) -> Row:
    shown, cell, suggested, confidence, flagged, decided, by, width, height, distance = values
    return Row(
        cell=cell,
        shown=shown,
        suggested=suggested,
        confidence=confidence,
        flagged=flagged,
        decided=decided,
        by=by if decided is not None else None,
        side=min(width, height),
        unlike=distance is not None and bool(is_unlike(distance)),
    )


def _behind(place: Place) -> Q:
    same = Q(is_decided=place.decided)
    later = same & (
        Q(confidence__gt=place.confidence) | Q(confidence=place.confidence, cell_id__gt=place.cell)
    )
    return later if place.decided else later | Q(is_decided=True)


def _embeddings(cells: list[int], version: int, size: int) -> dict[int, bytes]:
    """Of each cell its embedding of `size` bytes. They are asked for as they lie there: as text, which is how
    Django asks, they would be twice as many bytes to read apart."""
    connection.ensure_connection()
    with Cursor(connection.connection) as cursor:
        cursor.execute(
            "SELECT cell_id, embedding FROM inference_prediction "
            "WHERE cell_id = ANY(%s) AND current AND model_version_id = %s AND length(embedding) = %s",
            [cells, version, size],
            binary=True,
        )
        return dict(cursor.fetchall())


def _vectors(embeddings: list[bytes]) -> Any:
    flat = np.frombuffer(b"".join(embeddings), "<f2").astype(np.float32)
    return flat.reshape(len(embeddings), -1)


def _unit(vectors: Any) -> Any:
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    return vectors / np.maximum(lengths, 1e-12)[:, None]
