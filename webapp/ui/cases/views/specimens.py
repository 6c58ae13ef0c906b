"""What is known of a case's specimen, and its slides."""

from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from webapp.cases import selectors
from webapp.cases.disclosure import open_case, specimen_shown
from webapp.cases.models import Case
from webapp.cases.specimen_services import InUse, ThereAlready, add_slide, change_specimen, remove_slide
from webapp.labs.permissions import Permission
from webapp.patients.services import PatientErased
from webapp.ui.cases.forms import SlideForm, SpecimenForm
from webapp.ui.permissions import MemberRequest, needs


@needs(Permission.CREATE_CASES)
@require_http_methods(["GET", "POST"])
def specimen(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    """Enter or correct what is known of the specimen."""
    case = open_case(case_id)
    form = _form(request, case, bound=request.method == "POST")
    if form.is_valid():
        try:
            change_specimen(case, form.changes)
        except PatientErased as error:
            form.add_error(None, str(error))
            return _page(request, case, form=form, status=409)
        return redirect("ui:case", case.id)
    return _page(request, case, form=form, status=422 if form.is_bound else 200)


@needs(Permission.CREATE_CASES)
@require_POST
def new_slide(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    case = open_case(case_id)
    form = SlideForm(request.POST, scanners=selectors.scanners())
    status = 422
    if form.is_valid():
        try:
            add_slide(case, **form.cleaned_data)
            return _to_slides(case)
        except ThereAlready as error:
            form.add_error("label", str(error))
            status = 409
    return _page(request, case, slide_form=form, status=status)


@needs(Permission.CREATE_CASES)
@require_POST
def take_back_slide(request: MemberRequest, case_id: UUID, slide_id: int) -> HttpResponseBase:
    case = open_case(case_id)
    try:
        remove_slide(get_object_or_404(selectors.slides(case), id=slide_id))
    except InUse as error:
        return _page(request, case, conflict=str(error), status=409)
    return _to_slides(case)


def _to_slides(case: Case) -> HttpResponseBase:
    return redirect(f"{reverse('ui:case-specimen', args=[case.id])}#slides")


def _form(request: MemberRequest, case: Case, *, bound: bool = False) -> SpecimenForm:
    texts = request.membership.may(Permission.EDIT_IDENTIFIERS)
    known = specimen_shown(case, texts=texts)
    return SpecimenForm(request.POST if bound else None, known=known, texts=texts)


def _page(
    request: MemberRequest,
    case: Case,
    *,
    form: SpecimenForm | None = None,
    slide_form: SlideForm | None = None,
    conflict: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "case": case,
        "form": form or _form(request, case),
        "slides": selectors.slides(case),
        "slide_form": slide_form or SlideForm(scanners=selectors.scanners()),
        "conflict": conflict,
    }
    return render(request, "ui/cases/specimen/page.html", context, status=status)
