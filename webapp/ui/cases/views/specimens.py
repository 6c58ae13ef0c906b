"""What is known of a case's specimen, and its slides."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from webapp.cases import selectors
from webapp.cases.closing import ReviewOver
from webapp.cases.counted import in_other_unit
from webapp.cases.disclosure import open_case, specimen_shown, text_shown
from webapp.cases.models import Case
from webapp.cases.services import CollectedBeforeBirth
from webapp.cases.specimen_services import (
    InUse,
    ThereAlready,
    add_slide,
    change_specimen,
    enter_analyser_count,
    remove_slide,
)
from webapp.cases.specimens import COUNTS, FACTS, TEXTS
from webapp.inference.services import set_priority
from webapp.labs.permissions import Permission
from webapp.patients.services import PatientErased
from webapp.ui.cases.forms import AnalyserForm, PriorityForm, SlideForm, SpecimenForm
from webapp.ui.permissions import MemberRequest, needs


@needs(Permission.CREATE_CASES)
@require_http_methods(["GET", "POST"])
def specimen(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    """Enter or correct what is known of the specimen, of the request for it, and what an analyser counted."""
    case = open_case(case_id)
    sheet = _sheet(request, case, bound=request.method == "POST")
    if sheet.is_bound and sheet.is_valid():
        try:
            replaced = _enter(request, case, sheet)
        except PatientErased as error:
            sheet.specimen.add_error(None, str(error))
            return _page(request, case, sheet=sheet, status=409)
        except ReviewOver as error:
            return _page(request, case, sheet=sheet, conflict=str(error), status=409)
        except CollectedBeforeBirth as error:
            text_shown({case.id: case.accession})  # it tells of a birth date
            known = sheet.specimen.cleaned_data
            sheet.specimen.add_error("collected_at" if known["collected_at"] else "received_at", str(error))
            return _page(request, case, sheet=sheet, status=422)
        if replaced:
            fields = ", ".join(str({**FACTS, **TEXTS, **COUNTS}[name]) for name in replaced)
            said = _(
                "Somebody else entered this while the page was open, and yours took its place: %(fields)s."
            )
            messages.warning(request, said % {"fields": fields})
        if in_other_unit(sheet.analyser.cleaned_data["haemoglobin"]):
            said = _(
                "The haemoglobin is very low for one in g/L. If it was in g/dL, enter it ten times larger."
            )
            messages.warning(request, said)
        return redirect("ui:case", case.id)
    return _page(request, case, sheet=sheet, status=422 if sheet.is_bound else 200)


@dataclass(frozen=True)
class _Sheet:
    """What is entered at once."""

    specimen: SpecimenForm
    priority: PriorityForm
    analyser: AnalyserForm

    @property
    def is_bound(self) -> bool:
        return self.specimen.is_bound

    def is_valid(self) -> bool:
        found = [form.is_valid() for form in (self.specimen, self.priority, self.analyser)]
        return all(found)  # each says what is wrong with it


def _enter(request: MemberRequest, case: Case, sheet: _Sheet) -> tuple[str, ...]:
    """Returns what took the place of something that somebody else entered meanwhile."""
    specimen, analyser = sheet.specimen, sheet.analyser
    replaced = change_specimen(case, specimen.changes, seen=specimen.seen)
    if analyser.changes:
        replaced += enter_analyser_count(case, analyser.changes, by=request.user, seen=analyser.seen)
    if (priority := sheet.priority.changes.get("priority")) is not None:
        set_priority(case, priority)
    return replaced


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


def _sheet(request: MemberRequest, case: Case, *, bound: bool = False) -> _Sheet:
    texts = request.membership.may(Permission.EDIT_IDENTIFIERS)
    data = request.POST if bound else None
    return _Sheet(
        SpecimenForm(data, known=specimen_shown(case, texts=texts), texts=texts),
        PriorityForm(data, case=case),
        AnalyserForm(data, known=selectors.analyser_count_of(case)),
    )


def _page(
    request: MemberRequest,
    case: Case,
    *,
    sheet: _Sheet | None = None,
    slide_form: SlideForm | None = None,
    conflict: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "case": case,
        "sheet": sheet or _sheet(request, case),
        "slides": selectors.slides(case),
        "slide_form": slide_form or SlideForm(scanners=selectors.scanners()),
        "conflict": conflict,
        "zone": request.membership.lab.time_zone,
    }
    return render(request, "ui/cases/specimen/page.html", context, status=status)
