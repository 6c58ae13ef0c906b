"""Who a case's patient is, and the cases of one patient."""

from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from webapp.cases.disclosure import identifiers_shown, open_case
from webapp.cases.services import change_identifiers, find_patient
from webapp.labs.permissions import Permission
from webapp.ui.cases.forms import FindPatientForm, PatientForm
from webapp.ui.cases.views.cases import rows_context
from webapp.ui.permissions import MemberRequest, needs


@needs(Permission.EDIT_IDENTIFIERS)
@require_http_methods(["GET", "POST"])
def patient(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    """Enter or correct who the patient is."""
    case = open_case(case_id)
    known = identifiers_shown([case])[case.id]
    form = PatientForm(request.POST if request.method == "POST" else None, known=known)
    if form.is_valid():
        change_identifiers(case, form.changes)
        return redirect("ui:case", case.id)
    context = {"case": case, "form": form, "patient": known}
    return render(request, "ui/cases/patient/page.html", context, status=422 if form.is_bound else 200)


@needs(Permission.VIEW_IDENTIFIERS)
@require_POST
def cases_of_patient(request: MemberRequest) -> HttpResponse:
    """The cases of the patient with an MRN. Posted, so that no address, history or log keeps the MRN."""
    form = FindPatientForm(request.POST)
    found = find_patient(request.membership.lab, form.cleaned_data["mrn"]) if form.is_valid() else []
    context = {"form": form, **rows_context(request, found)}
    # Separators count for nothing in the search; where a lab's numbers differ in them, people must see it.
    context["several_ways"] = (
        len({patient.mrn for *_, patient in context["rows"] if patient and patient.mrn}) > 1
    )
    return render(request, "ui/cases/patient/cases.html", context, status=200 if form.is_valid() else 422)
