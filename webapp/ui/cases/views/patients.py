"""Who a case's patient is, whether two are one, and the cases of one patient."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from webapp.cases import selectors
from webapp.cases.disclosure import identifiers_shown, open_case
from webapp.cases.identifiers import IN_LISTS, LABELS, Identifiers, labels
from webapp.cases.models import Case
from webapp.cases.services import (
    CollectedBeforeBirth,
    NotTwoPatients,
    change_identifiers,
    find_patient,
    merge,
    split,
)
from webapp.labs.permissions import Permission
from webapp.patients.services import PatientErased
from webapp.ui.cases.forms import FindPatientForm, OtherCaseForm, PatientForm
from webapp.ui.cases.views.cases import say_kept
from webapp.ui.permissions import MemberRequest, needs
from webapp.ui.worklist.rows import rows_context
from webapp.worklist.selectors import without_flags

OTHERS_SHOWN = 50  # of the patient's other cases


@needs(Permission.EDIT_IDENTIFIERS)
@require_http_methods(["GET", "POST"])
def patient(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    """Enter or correct who the patient is."""
    case = open_case(case_id)
    known = identifiers_shown([case])[case.id]
    form = PatientForm(request.POST if request.method == "POST" else None, known=known)
    if form.is_valid():
        try:
            kept = change_identifiers(case, form.changes)
        except PatientErased as error:
            return _page(request, case, known, conflict=str(error))
        except CollectedBeforeBirth as error:
            form.add_error("birth_date", str(error))
            return _page(request, case, known, form=form)
        say_kept(request, kept)
        return redirect("ui:case", case.id)
    return _page(request, case, known, form=form)


@needs(Permission.EDIT_IDENTIFIERS)
@require_POST
def merge_patients(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    """Say that another case's patient is the same person, once both were shown beside each other."""
    case = open_case(case_id)
    form = OtherCaseForm(request.POST)
    other = form.is_valid() and selectors.cases().filter(accession=form.cleaned_data["accession"]).first()
    if form.is_valid() and not other:
        form.add_error("accession", _("No case of this lab has this number."))
    elif other:
        other = open_case(other.id)
        if case.patient_id and other.patient_id and case.patient_id != other.patient_id:
            shown = f"{case.patient_id} {other.patient_id}"
            if request.POST.get("shown") != shown:
                return _compared(request, case, other, shown)
        try:
            kept = merge(case, other)
        except (CollectedBeforeBirth, NotTwoPatients, PatientErased) as error:
            form.add_error("accession", str(error))
            return _page(request, case, identifiers_shown([case])[case.id], merge_form=form, status=409)
        said = _("The patient of %(case)s is the patient of this case now.") % {"case": other}
        if kept:
            differ = _("The two differ in: %(fields)s; what stood here stayed.") % {"fields": labels(kept)}
            said = f"{said} {differ}"
        messages.success(request, said)
        return redirect("ui:case-patient", case.id)
    return _page(request, case, identifiers_shown([case])[case.id], merge_form=form, status=422)


@needs(Permission.EDIT_IDENTIFIERS)
@require_POST
def split_patient(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    """Say that this case is of somebody else than the patient's other cases."""
    case = open_case(case_id)
    try:
        split(case)
    except (NotTwoPatients, PatientErased) as error:
        return _page(request, case, identifiers_shown([case])[case.id], conflict=str(error))
    messages.success(request, _("This case is separated from the others. Enter whose it is."))
    return redirect("ui:case-patient", case.id)


@needs(Permission.VIEW_IDENTIFIERS)
@require_POST
def cases_of_patient(request: MemberRequest) -> HttpResponse:
    """The cases of the patient with an MRN. Posted, so that no address, history or log keeps the MRN."""
    form = FindPatientForm(request.POST)
    found = find_patient(request.membership.lab, form.cleaned_data["mrn"]) if form.is_valid() else []
    context = {"form": form, **rows_context(request, found, without_flags(request.user, found))}
    return render(request, "ui/cases/patient/cases.html", context, status=200 if form.is_valid() else 422)


def _compared(request: MemberRequest, case: Case, other: Case, shown: str) -> HttpResponse:
    """Both patients, before they become one."""
    known = identifiers_shown([case, other])
    fields = [
        (name, LABELS[name], *(getattr(known[one.id], name) for one in (case, other)))
        for name in IN_LISTS  # notes are each case's own: none of them moves
    ]
    number = selectors.cases().filter(patient=other.patient_id).count()
    context = {"case": case, "other": other, "fields": fields, "number": number, "shown": shown}
    unreadable = {name: None for one in known.values() for name in one.unreadable}
    context["unreadable"] = labels(unreadable)
    return render(request, "ui/cases/patient/merge.html", context)


def _page(
    request: MemberRequest,
    case: Case,
    known: Identifiers,
    *,
    form: PatientForm | None = None,
    merge_form: OtherCaseForm | None = None,
    conflict: str = "",
    status: int = 200,
) -> HttpResponse:
    others = selectors.cases().filter(patient=known.patient).exclude(id=case.id)
    if not known.patient:
        others = others.none()
    context: dict[str, Any] = {
        "case": case,
        "patient": known,
        "form": form or PatientForm(known=known),
        "merge_form": merge_form or OtherCaseForm(label_suffix=""),
        "others": others[: OTHERS_SHOWN + 1],
        "others_shown": OTHERS_SHOWN,
        "conflict": conflict,
    }
    if form and form.is_bound:
        status = 422
    return render(request, "ui/cases/patient/page.html", context, status=409 if conflict else status)
