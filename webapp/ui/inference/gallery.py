"""Cells as the gallery shows them: by class, least sure first, cut from a mosaic of those beside them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404
from django.urls import reverse
from django.utils.translation import pgettext

from serving.contract import CELL_CLASSES
from webapp.cases.models import Case
from webapp.hematology.classes import BY_CODE, UNIDENTIFIED
from webapp.inference.models import Prediction
from webapp.inference.selectors import class_name, class_short
from webapp.review import selectors
from webapp.review.models import Reading
from webapp.ui.inference.mosaic import SIDE, corner
from webapp.ui.permissions import MemberRequest

CELLS_OF_EACH_CLASS = 24  # where all classes are shown
CELLS_A_PAGE = 96  # where one is


@dataclass(frozen=True)
class Tile:
    """One cell. `view_box` is its square on the mosaic, as an SVG viewBox."""

    cell_id: int
    url: str
    mosaic: str
    view_box: str
    name: str
    short: str
    confidence: float
    unidentified: bool
    decided: bool
    unlike: bool
    file: str


@dataclass(frozen=True)
class Section:
    """The cells shown of one class out of its `count`."""

    code: str
    name: str
    count: int
    tiles: list[Tile]

    @property
    def unidentified(self) -> bool:
        return self.code == UNIDENTIFIED

    @property
    def is_whole(self) -> bool:
        return len(self.tiles) >= self.count


@dataclass(frozen=True)
class Tab:
    """A choice of class with its number of cells; the code is "" for all."""

    code: str
    name: str
    count: int

    @property
    def unidentified(self) -> bool:
        return self.code == UNIDENTIFIED


def tiles_of(case_id: UUID, predictions: Sequence[Prediction]) -> list[Tile]:
    """One tile for each of up to `TILES_AT_ONCE` cells, all on one mosaic."""
    if not predictions:
        return []
    cells = [prediction.cell_id for prediction in predictions]
    mosaic = reverse("ui:mosaic", args=[case_id, cells])
    return [_tile(case_id, place, prediction, mosaic) for place, prediction in enumerate(predictions)]


def _tile(case_id: UUID, place: int, prediction: Prediction, mosaic: str) -> Tile:
    left, top = corner(place)
    cell_class = BY_CODE[prediction.decided_class or prediction.cell_class]
    return Tile(
        cell_id=prediction.cell_id,
        url=reverse("ui:cell", args=[case_id, prediction.cell_id]),
        mosaic=mosaic,
        view_box=f"{left} {top} {SIDE} {SIDE}",
        name=class_name(cell_class.code),
        short=class_short(cell_class.code),
        confidence=prediction.confidence,
        unidentified=prediction.shown_class == UNIDENTIFIED,
        decided=prediction.decided_class is not None,
        unlike=prediction.unlike,
        file=prediction.cell.image.name,
    )


def tabs(counts: Mapping[str, int]) -> list[Tab]:
    """All classes that have cells, those to be looked at first."""
    classes = [Tab(code, class_name(code), counts[code]) for code in _codes() if counts.get(code)]
    return [Tab("", pgettext("cells", "All"), sum(counts.values())), *classes] if classes else []


def sections(case_id: UUID, counts: Mapping[str, int], predictions: Iterable[Prediction]) -> list[Section]:
    """The predictions sorted into the sections of their classes, those to be looked at first."""
    by_class: dict[str, list[Prediction]] = {}
    for prediction in predictions:
        by_class.setdefault(prediction.shown_class, []).append(prediction)
    return [
        Section(code, class_name(code), max(counts.get(code, 0), len(found)), tiles_of(case_id, found))
        for code in _codes()
        if (found := by_class.get(code))
    ]


def wanted_class(request: MemberRequest) -> str:
    """The class asked for, "" for all.

    Raises:
        Http404: there is no such class.
    """
    code = request.GET.get("class", "")
    if code and code != UNIDENTIFIED and code not in BY_CODE:
        raise Http404
    return code


def gallery_context(
    case: Case, reading: Reading | None, counts: Mapping[str, int], code: str
) -> dict[str, Any]:
    if code:
        page = cells_page(case, reading, code, None)
        name = class_name(code)
        section = Section(code, name, counts.get(code, 0), page["tiles"])
        return {"case": case, "reading": reading, "code": code, "section": section, **page}
    first = selectors.first_cells_of_each_class(case, reading, CELLS_OF_EACH_CLASS)
    return {"case": case, "reading": reading, "code": code, "sections": sections(case.id, counts, first)}


def cells_page(case: Case, reading: Reading | None, code: str, last: Prediction | None) -> dict[str, Any]:
    found = selectors.cells(case, reading, code)
    if last is not None:
        found = found.filter(selectors.after(last))
    predictions = list(found[: CELLS_A_PAGE + 1])
    tiles = tiles_of(case.id, predictions[:CELLS_A_PAGE])
    return {"tiles": tiles, "more_after": tiles[-1].cell_id if len(predictions) > CELLS_A_PAGE else None}


def _codes() -> list[str]:
    return [UNIDENTIFIED, *(cell_class.code for cell_class in CELL_CLASSES)]
