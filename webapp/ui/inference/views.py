"""The gallery of a case's cells, one cell with what the model said of it, and the files they came in."""

from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from serving.contract import OPENINGS, SUFFIXES
from webapp.cases import selectors as case_selectors
from webapp.cases.disclosure import open_case, text_shown
from webapp.cases.models import UNDER_WAY, Case, Cell, Image
from webapp.cases.setting_aside import CannotBeSetAside, can_be_set_aside, set_aside
from webapp.cases.specimen_services import NoSuchSlide, set_slide
from webapp.crypto.cipher import Unreadable
from webapp.hematology.classes import BY_CODE
from webapp.inference import services
from webapp.inference.models import Prediction
from webapp.inference.selectors import class_name
from webapp.labs.permissions import Permission
from webapp.patients.services import PatientErased
from webapp.review import selectors
from webapp.review.disclosure import said
from webapp.review.models import Reading
from webapp.storage import objects, ranges
from webapp.ui.inference.forms import FilesSlideForm, SetAsideForm
from webapp.ui.inference.gallery import cells_page, gallery_context, wanted_class
from webapp.ui.inference.mosaic import SIDE, SMALL_SIDE
from webapp.ui.inference.mosaic import mosaic as draw
from webapp.ui.permissions import MemberRequest, needs

FILES_A_PAGE = 100
REPLACED = "replaced"  # among the states of files: refused or failed, and accounted for
SET_ASIDE = "set_aside"  # refused, and a person who looked needs no other
LONGEST_ID = 18  # digits, which a number in the database can have whatever they are


@needs(Permission.VIEW_CASES)
@require_GET
def gallery(request: MemberRequest, case_id: UUID) -> HttpResponse:
    """The gallery again, as it is now; or with `after` only the cells that follow that one."""
    case = open_case(case_id)
    code = wanted_class(request)
    reading = selectors.shown_reading(case, request.user)
    if "after" in request.GET:
        last = _cell_or_404(case, reading, request.GET["after"])
        context = {"case": case, "code": code, **cells_page(case, reading, code, last)}
        return render(request, "ui/inference/tiles.html", context)
    context = gallery_context(case, reading, selectors.counts_of(case, reading).shown, code)
    return render(request, "ui/inference/gallery.html", context)


@needs(Permission.VIEW_CASES)
@require_GET
def cell(request: MemberRequest, case_id: UUID, cell_id: int) -> HttpResponse:
    """One cell: in the dialog of the gallery, or as a page of its own; with `model` only what that said."""
    case = open_case(case_id)
    found = get_object_or_404(case_selectors.cells(case), id=cell_id)
    reading = selectors.shown_reading(case, request.user)
    prediction = selectors.prediction_of(found, reading)
    if prediction is None:
        raise Http404
    code = prediction.shown_class
    in_class = selectors.cells(case, reading, code)
    earlier = in_class.filter(selectors.before(prediction))
    context = {
        "case": case,
        "cell": found,
        "image": found.image,
        "prediction": prediction,
        "suggested": BY_CODE[prediction.cell_class],
        "probabilities": _probabilities(prediction),
        "section": class_name(code),
        "place": earlier.count() + 1,
        "count": in_class.count(),
        "previous": earlier.reverse().first(),
        "next": in_class.filter(selectors.after(prediction)).first(),
        "evidence": _evidence_square(found),
    }
    if reading and "model" not in request.GET:
        context["decision"] = said(reading, found, texts=request.membership.may(Permission.VIEW_IDENTIFIERS))
    template = "ui/inference/cell/content.html" if request.htmx else "ui/inference/cell/page.html"
    return render(request, template, context)


@needs(Permission.VIEW_CASES)
@require_GET
def mosaic(request: MemberRequest, case_id: UUID, cell_ids: list[int]) -> HttpResponse:
    """Those cells of a case in one JPEG, in the order asked for; with `small` half as large."""
    case = open_case(case_id)
    tiles = case_selectors.tiles(case, cell_ids)
    if len(tiles) != len(set(cell_ids)):
        raise Http404
    try:
        pictures = ranges.read([tiles[cell_id] for cell_id in cell_ids])
    except objects.StorageUnavailable:
        return HttpResponse(status=HTTPStatus.SERVICE_UNAVAILABLE)
    side = SMALL_SIDE if "small" in request.GET else SIDE
    response = HttpResponse(draw(pictures, side), content_type="image/jpeg")
    if None not in pictures:
        response["Cache-Control"] = f"private, max-age={settings.DOWNLOAD_KEPT_SECONDS}, immutable"
    return response


@needs(Permission.VIEW_CASES)
@require_GET
def files(request: MemberRequest, case_id: UUID) -> HttpResponse:
    """A case's files in the order of upload, of one status where asked."""
    case = open_case(case_id)
    status = request.GET.get("status", "")
    if status and status not in (*Image.Status.values, REPLACED, SET_ASIDE):
        raise Http404
    found = selectors.images_with_cells(case, selectors.shown_reading(case, request.user))
    found = found.select_related("slide", "replaced_by")
    if status == REPLACED:
        found = found.filter(replaced_by__isnull=False)
    elif status == SET_ASIDE:
        found = found.filter(status=Image.Status.REFUSED, replaced_by=None, set_aside__isnull=False)
    elif status:
        found = found.filter(status=status, replaced_by=None)
        if status == Image.Status.REFUSED:
            found = found.filter(set_aside=None)
    pages = Paginator(found, FILES_A_PAGE)
    page = pages.get_page(request.GET.get("page"))
    slides = list(case_selectors.slides(case))
    texts = request.membership.may(Permission.VIEW_IDENTIFIERS)
    reasons = _why_set_aside(case, page, texts=texts)
    context = {
        "case": case,
        "progress": case_selectors.progress_of([case])[case.id],
        "status": status,
        "Status": Image.Status,
        "page": page,
        "of_slides": any(image.slide_id for image in page),
        "slides": slides,
        "may_say_slide": bool(slides)
        and case.review in UNDER_WAY
        and request.membership.may(Permission.CREATE_CASES),
        "reasons": reasons,
    }
    return render(request, "ui/inference/files.html", context)


@needs(Permission.VIEW_CASES)
@require_GET
def outstanding(request: MemberRequest) -> HttpResponse:
    """The files of all cases that were refused or failed and that nothing was given for, the last first."""
    status = request.GET.get("status", "")
    if status and status not in Image.UNUSABLE:
        raise Http404
    counts = case_selectors.outstanding_by_status()
    found = case_selectors.outstanding(**({"status": status} if status else {}))
    context = {
        "status": status,
        "all": sum(counts.values()),
        "tabs": [(one.value, one.label, counts.get(one, 0)) for one in Image.UNUSABLE],
        "page": Paginator(found, FILES_A_PAGE).get_page(request.GET.get("page")),
        "may_upload": request.membership.may(Permission.UPLOAD_IMAGES),
        "may_requeue": request.membership.may(Permission.REQUEUE_FAILED),
        "suffixes": " ".join(SUFFIXES),
        "openings": "|".join(OPENINGS),
    }
    return render(request, "ui/inference/outstanding.html", context)


@needs(Permission.UPLOAD_IMAGES)
@require_http_methods(["GET", "HEAD", "POST"])
def set_file_aside(request: MemberRequest, case_id: UUID, image_id: int) -> HttpResponseBase:
    """Say why nothing is given in place of a refused file."""
    case = open_case(case_id)
    image = get_object_or_404(case_selectors.images(case), id=image_id)
    form = SetAsideForm(request.POST if request.method == "POST" else None)
    context = {"case": case, "image": image, "form": form, "can": can_be_set_aside(image)}
    template = "ui/inference/set_aside.html"
    if request.method != "POST":
        return render(request, template, context)
    if not form.is_valid():
        return render(request, template, context, status=422)
    try:
        set_aside(image, by=request.user, **form.cleaned_data)
    except (CannotBeSetAside, PatientErased) as error:
        return render(request, template, context | {"conflict": str(error)}, status=409)
    messages.success(request, _("%(file)s is set aside.") % {"file": image.name})
    return redirect("ui:case", case.id)


@needs(Permission.CREATE_CASES)
@require_POST
def set_files_slide(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    """Say of which slide the files that were ticked are."""
    case = open_case(case_id)
    form = FilesSlideForm(request.POST, slides=case_selectors.slides(case), images=_ids(case))
    if not form.is_valid():
        messages.error(request, _("Tick files, and choose one of the case's slides."))
        return redirect("ui:case-files", case.id)
    try:
        n = set_slide(case, form.cleaned_data["images"], form.cleaned_data["slide"])
    except NoSuchSlide as error:
        messages.error(request, str(error))
        return redirect("ui:case-files", case.id)
    said = ngettext("%(n)s file is of another slide now.", "%(n)s files are of another slide now.", n)
    messages.success(request, said % {"n": n})
    return redirect("ui:case-files", case.id)


@needs(Permission.REQUEUE_FAILED)
@require_POST
def requeue(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    """Try failed images of a case again: all, or one with those that went with it."""
    case = open_case(case_id)
    asked = request.POST.get("image", "")
    n = services.requeue(case, [_number(asked)] if asked else None)
    said = ngettext("%(n)s image is being tried again.", "%(n)s images are being tried again.", n)
    messages.success(request, said % {"n": n})
    if request.POST.get("back") == "outstanding":
        return redirect("ui:outstanding")
    return redirect("ui:case", case.id)


def _ids(case: Case) -> list[int]:
    return list(case_selectors.images(case).values_list("id", flat=True))


def _why_set_aside(case: Case, page: Iterable[Image], *, texts: bool) -> dict[int, str]:
    """Why files were set aside, by image, for who may read it; that it was shown is on record."""
    found: dict[int, str] = {}
    for image in page:
        if texts and hasattr(image, "set_aside"):
            image.set_aside.image = image
            image.case = case
            with suppress(Unreadable):
                found[image.id] = image.set_aside.reason
    if found:
        text_shown({case.id: case.accession})
    return found


def _cell_or_404(case: Case, reading: Reading | None, cell_id: str) -> Prediction:
    return get_object_or_404(selectors.cells(case, reading), cell_id=_number(cell_id))


def _number(text: str) -> int:
    """An id as somebody sent it.

    Raises:
        Http404: it is none.
    """
    if not text.isascii() or not text.isdigit() or len(text) > LONGEST_ID:
        raise Http404
    return int(text)


def _probabilities(prediction: Prediction) -> list[dict[str, Any]]:
    return [
        {"code": code, "name": class_name(code), "value": value, "percent": 100 * value}
        for code, value in prediction.ranked
    ]


def _evidence_square(cell: Cell) -> dict[str, float]:
    """Where the evidence lies: on the centre square of the cell's box."""
    side = min(cell.width, cell.height)
    return {
        "left": cell.left + (cell.width - side) / 2,
        "top": cell.top + (cell.height - side) / 2,
        "side": side,
    }
