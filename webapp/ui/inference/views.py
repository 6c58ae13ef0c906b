"""The gallery of a case's cells, one cell with what the model said of it, and the files they came in."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from webapp.cases import selectors as case_selectors
from webapp.cases.disclosure import open_case
from webapp.cases.models import Case, Image
from webapp.hematology.classes import BY_CODE
from webapp.inference import selectors, services
from webapp.inference.models import Chunk, Prediction
from webapp.labs.permissions import Permission
from webapp.storage import objects
from webapp.ui.inference.gallery import cells_page, gallery_context, wanted_class
from webapp.ui.permissions import MemberRequest, needs

FILES_A_PAGE = 100
LONGEST_ID = 18  # digits, which a number in the database can have whatever they are


@needs(Permission.VIEW_CASES)
@require_GET
def gallery(request: MemberRequest, case_id: UUID) -> HttpResponse:
    """The gallery again, as it is now; or with `after` only the cells that follow that one."""
    case = open_case(case_id)
    code = wanted_class(request)
    if "after" in request.GET:
        last = _cell_or_404(case, request.GET["after"])
        context = {"case": case, "code": code, **cells_page(case, code, last)}
        return render(request, "ui/inference/tiles.html", context)
    context = gallery_context(case, selectors.counts_of(case), code)
    return render(request, "ui/inference/gallery.html", context)


@needs(Permission.VIEW_CASES)
@require_GET
def cell(request: MemberRequest, case_id: UUID, image_id: int) -> HttpResponse:
    """One cell: in the dialog of the gallery, or as a page of its own."""
    case = open_case(case_id)
    image = get_object_or_404(case_selectors.images(case, status=Image.Status.CLASSIFIED), id=image_id)
    prediction = selectors.prediction_of(image)
    if prediction is None:
        raise Http404
    code = prediction.shown_class
    in_class = selectors.cells(case, code)
    earlier = in_class.filter(selectors.before(prediction))
    context = {
        "case": case,
        "image": image,
        "prediction": prediction,
        "suggested": BY_CODE[prediction.cell_class],
        "probabilities": _probabilities(prediction),
        "section": selectors.class_name(code),
        "place": earlier.count() + 1,
        "count": in_class.count(),
        "previous": earlier.reverse().first(),
        "next": in_class.filter(selectors.after(prediction)).first(),
        **_evidence_geometry(image),
    }
    template = "ui/inference/cell/content.html" if request.htmx else "ui/inference/cell/page.html"
    return render(request, template, context)


@needs(Permission.VIEW_CASES)
@require_GET
def sheet(_request: MemberRequest, case_id: UUID, chunk_id: int) -> HttpResponseBase:
    """A chunk's contact sheet: a redirect to the store, good for minutes."""
    case = open_case(case_id)
    chunk: Chunk = get_object_or_404(Chunk.objects.exclude(sheet_key=""), id=chunk_id, case=case)
    return redirect(objects.download_url(chunk.sheet_key, "image/jpeg"))


@needs(Permission.VIEW_CASES)
@require_GET
def files(request: MemberRequest, case_id: UUID) -> HttpResponse:
    """A case's files in the order of upload, of one status where asked."""
    case = open_case(case_id)
    status = request.GET.get("status", "")
    if status and status not in Image.Status.values:
        raise Http404
    found = selectors.images_with_predictions(case)
    pages = Paginator(found.filter(status=status) if status else found, FILES_A_PAGE)
    context = {
        "case": case,
        "progress": case_selectors.progress_of([case])[case.id],
        "status": status,
        "Status": Image.Status,
        "page": pages.get_page(request.GET.get("page")),
    }
    return render(request, "ui/inference/files.html", context)


@needs(Permission.REQUEUE_FAILED)
@require_POST
def requeue(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    case = open_case(case_id)
    n = services.requeue(case)
    messages.success(request, f"{n} {'image is' if n == 1 else 'images are'} being tried again.")
    return redirect("ui:case", case.id)


def _cell_or_404(case: Case, image_id: str) -> Prediction:
    if not image_id.isascii() or not image_id.isdigit() or len(image_id) > LONGEST_ID:
        raise Http404
    return get_object_or_404(selectors.cells(case), image_id=int(image_id))


def _probabilities(prediction: Prediction) -> list[dict[str, Any]]:
    return [
        {"code": code, "name": selectors.class_name(code), "value": value, "percent": 100 * value}
        for code, value in prediction.ranked
    ]


def _evidence_geometry(image: Image) -> dict[str, float]:
    """Where the evidence lies: on the picture's centre square, itself centred in a square of `side`."""
    width, height = image.width or 1, image.height or 1
    side, square = max(width, height), min(width, height)
    return {"side": side, "square": square, "inset": (side - square) / 2}
