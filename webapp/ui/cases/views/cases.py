"""The worklist with new cases, and one case: how far it is, its count and its cells."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import trigger_client_event

from serving.contract import OPENINGS, SUFFIXES
from webapp.cases import selectors
from webapp.cases.disclosure import identifiers_shown, open_case, specimen_shown
from webapp.cases.identifiers import labels
from webapp.cases.models import UNDER_WAY, Case, Priority, Review
from webapp.cases.services import AccessionTaken, create_case, report_unreadable
from webapp.hematology.classes import UNIDENTIFIED
from webapp.inference.selectors import asked_again, model_notice, models_of
from webapp.labs.permissions import Permission
from webapp.results.calls import open_call_of
from webapp.results.selectors import results_of
from webapp.results.sheets import sheets
from webapp.review.models import Reading
from webapp.review.selectors import counts_of, is_blinded, shown_reading
from webapp.ui.cases.forms import NewCaseForm, PatientForm
from webapp.ui.inference.gallery import gallery_context, tabs, wanted_class
from webapp.ui.permissions import MemberRequest, needs
from webapp.ui.review.links import reading_links
from webapp.ui.worklist.listing import default_address, list_context, the_one

PROBLEMS_SHOWN = 12  # of the files with a problem, on the case's own page


@needs(Permission.VIEW_CASES)
@require_GET
def worklist(request: MemberRequest) -> HttpResponseBase:
    """Cases; Enter in the search, a barcode reader's too, opens the one that alone is meant."""
    if "open" in request.GET and not request.htmx and (found := the_one(request)):
        return redirect("ui:case", found.id)
    if address := default_address(request):
        return redirect(address)
    return render(request, "ui/cases/list.html", _list_context(request))


@needs(Permission.CREATE_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def new_case(request: MemberRequest) -> HttpResponseBase:
    if request.method != "POST":
        return redirect("ui:worklist")
    form = NewCaseForm(request.POST)
    may_edit = request.membership.may(Permission.EDIT_IDENTIFIERS)
    patient = PatientForm(request.POST if may_edit else {})
    if form.is_valid() and patient.is_valid():
        accession = form.cleaned_data["accession"]
        try:
            case = create_case(
                request.membership.lab,
                accession=accession,
                by=request.user,
                identifiers=patient.changes,
                priority=Priority(form.cleaned_data["priority"]),
            )
        except AccessionTaken as error:
            form.add_error("accession", str(error))
            existing = selectors.cases().filter(accession=accession).first()
            context = _list_context(request, form=form, patient_form=patient, existing=existing)
            return render(request, "ui/cases/list.html", context, status=409)
        say_kept(request, case.differing)
        return redirect("ui:case", case.id)
    context = _list_context(request, form=form, patient_form=patient)
    return render(request, "ui/cases/list.html", context, status=422)


@needs(Permission.VIEW_CASES)
@require_GET
def case_page(request: MemberRequest, case_id: UUID) -> HttpResponse:
    case = open_case(case_id)
    code = wanted_class(request)
    context = _live_context(request, case, code)
    context |= gallery_context(case, context["reading"], context["counts"], code)
    context["result"] = None if is_blinded(case, request.user) else results_of(case).first()
    under_way = case.review in UNDER_WAY
    context["may_sign"] = (
        (under_way and context["progress"].classified) or case.review == Review.REVIEWED
    ) and request.membership.may(Permission.SIGN)
    if under_way and request.membership.may(Permission.UPLOAD_IMAGES):
        context |= {"suffixes": " ".join(SUFFIXES), "openings": "|".join(OPENINGS)}
    context["may_review"] = context["progress"].classified and request.membership.may(Permission.DECIDE)
    if context["may_review"]:
        context["second_readings"] = reading_links(case, request.user, kind=Reading.Kind.SECOND)
    context["open_call"] = open_call_of(case)
    may_see = request.membership.may(Permission.VIEW_IDENTIFIERS)
    context["specimen"] = specimen_shown(case, texts=may_see)
    context["analyser"] = selectors.analyser_count_of(case)
    context["slides"] = selectors.slides(case)
    context["may_edit_specimen"] = under_way and request.membership.may(Permission.CREATE_CASES)
    if may_see:
        context["patient"] = identifiers_shown([case])[case.id]
        context["may_edit_patient"] = request.membership.may(Permission.EDIT_IDENTIFIERS)
        report_unreadable(case, context["patient"])
    return render(request, "ui/cases/case.html", context)


@needs(Permission.VIEW_CASES)
@require_GET
def live(request: MemberRequest, case_id: UUID) -> HttpResponse:
    """What changes on the case's page while images are uploaded and classified."""
    case = open_case(case_id)
    context = _live_context(request, case, wanted_class(request))
    response = render(request, "ui/cases/live.html", context | {"alone": True})
    if request.GET.get("classified") != str(context["progress"].classified):
        trigger_client_event(response, "cells-changed")
    return response


def _list_context(request: MemberRequest, **more: Any) -> dict[str, Any]:
    return {
        "form": NewCaseForm(),
        "patient_form": PatientForm(),
        "may_create": request.membership.may(Permission.CREATE_CASES),
        "may_edit_patient": request.membership.may(Permission.EDIT_IDENTIFIERS),
        "Priority": Priority,
        **list_context(request),
        **more,
    }


def say_kept(request: MemberRequest, kept: Iterable[str]) -> None:
    """Tell whoever entered a patient that the lab knows them, and otherwise."""
    if kept:
        messages.warning(
            request,
            _(
                "The lab knows a patient with this MRN. What was known of them stayed; you gave otherwise: "
                "%(fields)s. Check that it is the same person."
            )
            % {"fields": labels(kept)},
        )


def _live_context(request: MemberRequest, case: Case, code: str) -> dict[str, Any]:
    progress = selectors.progress_of([case])[case.id]
    reading = shown_reading(case, request.user)
    counts = counts_of(case, reading)
    both = sheets(case, counts, request.membership.lab)
    both = both.shown(identifiers=request.membership.may(Permission.VIEW_IDENTIFIERS))
    problems = selectors.not_counted(case)
    return {
        "case": case,
        "progress": progress,
        "reading": reading,
        "counts": counts.shown,
        "suggested": both.suggested,
        "reviewed": both.reviewed if counts.reviewed else None,
        "models": models_of(case),
        "asked_again": asked_again(case),
        "model_notice": model_notice(case),
        "problems": problems[:PROBLEMS_SHOWN],
        "n_problems": progress.refused + progress.failed,
        "may_requeue": case.review in UNDER_WAY and request.membership.may(Permission.REQUEUE_FAILED),
        "tabs": tabs(counts.shown),
        "unidentified": UNIDENTIFIED,
        "may_upload": case.review in UNDER_WAY and request.membership.may(Permission.UPLOAD_IMAGES),
        "code": code,
    }
