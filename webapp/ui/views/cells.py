"""The gallery of a case's cells, and one cell with what the model said of it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from webapp.cases import selectors
from webapp.cases.access import case_or_404
from webapp.cases.models import Case, Image
from webapp.hematology.classes import BY_CODE, UNIDENTIFIED
from webapp.inference import selectors as inference_selectors
from webapp.inference.models import Chunk, Prediction
from webapp.labs.permissions import Permission
from webapp.storage import objects
from webapp.ui import gallery as shown
from webapp.ui.access import MemberRequest, needs

CELLS_OF_EACH_CLASS = 24  # where all classes are shown
CELLS_A_PAGE = 96  # where one is
LONGEST_ID = 18  # digits, which a number in the database can have whatever they are


@needs(Permission.VIEW_CASES)
@require_GET
def gallery(request: MemberRequest, case_id: UUID) -> HttpResponse:
    """The gallery again, as it is now; or with `after` only the cells that follow that one."""
    case = case_or_404(case_id)
    code = wanted_class(request)
    if "after" in request.GET:
        last = _cell_or_404(case, request.GET["after"])
        return render(request, "ui/inference/tiles.html", {"case": case, "code": code, **_page(case, code, last)})
    context = gallery_context(case, inference_selectors.counts_of(case), code)
    return render(request, "ui/inference/gallery.html", context)


@needs(Permission.VIEW_CASES)
@require_GET
def cell(request: MemberRequest, case_id: UUID, image_id: int) -> HttpResponse:
    """One cell: in the dialog of the gallery, or as a page of its own."""
    case = case_or_404(case_id)
    image = get_object_or_404(selectors.images(case, status=Image.Status.CLASSIFIED), id=image_id)
    prediction = inference_selectors.prediction_of(image)
    if prediction is None:
        raise Http404
    code = shown.shown_class(prediction)
    in_class = inference_selectors.cells(case, code)
    earlier = in_class.filter(inference_selectors.before(prediction))
    context = {
        "case": case,
        "image": image,
        "prediction": prediction,
        "suggested": BY_CODE[prediction.cell_class],
        "probabilities": _probabilities(prediction),
        "section": inference_selectors.class_name(code),
        "place": earlier.count() + 1,
        "count": in_class.count(),
        "previous": earlier.reverse().first(),
        "next": in_class.filter(inference_selectors.after(prediction)).first(),
        **_evidence_geometry(image),
    }
    return render(request, "ui/inference/cell/content.html" if request.htmx else "ui/inference/cell/page.html", context)


@needs(Permission.VIEW_CASES)
@require_GET
def sheet(_request: MemberRequest, case_id: UUID, chunk_id: int) -> HttpResponseBase:
    """A chunk's contact sheet: a redirect to the store, good for minutes."""
    case = case_or_404(case_id)
    chunk: Chunk = get_object_or_404(Chunk.objects.exclude(sheet_key=""), id=chunk_id, case=case)
    return redirect(objects.download_url(chunk.sheet_key, "image/jpeg"))


def wanted_class(request: MemberRequest) -> str:
    """The class asked for, "" for all.

    Raises:
        Http404: there is no such class.
    """
    code = request.GET.get("class", "")
    if code and code != UNIDENTIFIED and code not in BY_CODE:
        raise Http404
    return code


def gallery_context(case: Case, counts: Mapping[str, int], code: str) -> dict[str, Any]:
    if code:
        page = _page(case, code, None)
        name = inference_selectors.class_name(code)
        section = shown.Section(code, name, counts.get(code, 0), page["tiles"])
        return {"case": case, "code": code, "section": section, **page}
    first = inference_selectors.first_cells_of_each_class(case, CELLS_OF_EACH_CLASS)
    return {"case": case, "code": code, "sections": shown.sections(case.id, counts, first)}


def _page(case: Case, code: str, last: Prediction | None) -> dict[str, Any]:
    found = inference_selectors.cells(case, code)
    if last is not None:
        found = found.filter(inference_selectors.after(last))
    predictions = list(found[: CELLS_A_PAGE + 1])
    tiles = [shown.tile(case.id, prediction) for prediction in predictions[:CELLS_A_PAGE]]
    return {"tiles": tiles, "more_after": tiles[-1].image_id if len(predictions) > CELLS_A_PAGE else None}


def _cell_or_404(case: Case, image_id: str) -> Prediction:
    if not image_id.isascii() or not image_id.isdigit() or len(image_id) > LONGEST_ID:
        raise Http404
    return get_object_or_404(inference_selectors.cells(case), image_id=int(image_id))


def _probabilities(prediction: Prediction) -> list[dict[str, Any]]:
    pairs = zip(prediction.model_version.labels, prediction.probabilities, strict=True)
    return [
        {"code": code, "name": inference_selectors.class_name(code), "value": value, "percent": 100 * value}
        for code, value in sorted(pairs, key=lambda pair: -pair[1])
    ]


def _evidence_geometry(image: Image) -> dict[str, float]:
    """Where the evidence lies: on the picture's centre square, itself centred in a square of `side`."""
    width, height = image.width or 1, image.height or 1
    side, square = max(width, height), min(width, height)
    return {"side": side, "square": square, "inset": (side - square) / 2}
