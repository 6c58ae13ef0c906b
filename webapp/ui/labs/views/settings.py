"""What a lab sets for all its members: its language, how it tells the time, how many cells are a full
count, by when results are due and somebody is told of critical ones, what may be said of a cell, and what it
takes pictures with."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from webapp.accounts.reauthentication import fresh_sign_in
from webapp.cases.selectors import scanners
from webapp.labs.locales import locale_of
from webapp.labs.models import Lab
from webapp.labs.permissions import Permission
from webapp.labs.services import change_classes, change_settings
from webapp.results.calls import change_limit
from webapp.ui.labs.forms import ClassesForm, CriticalCallForm, LabForm, ScannerForm, TurnaroundForm
from webapp.ui.permissions import MemberRequest, needs
from webapp.worklist.turnaround import change_turnaround


@needs(Permission.MANAGE_LAB)
@require_GET
def settings(request: MemberRequest) -> HttpResponseBase:
    return settings_page(request)


@needs(Permission.MANAGE_LAB)
@require_POST
@fresh_sign_in
def change(request: MemberRequest) -> HttpResponseBase:
    form = LabForm(request.POST, instance=Lab(id=request.membership.lab_id, name=request.membership.lab.name))
    if not form.is_valid():
        return settings_page(request, form=form, status=422)
    change_settings(request.membership.lab, **form.cleaned_data)
    request.membership.lab.refresh_from_db()
    with locale_of(request.membership.lab):  # the page that says it is in the language that was chosen
        messages.success(request, _("Saved. It holds from now on, for every case of the lab."))
    return redirect("ui:lab-settings")


@needs(Permission.MANAGE_LAB)
@require_POST
@fresh_sign_in
def change_cell_classes(request: MemberRequest) -> HttpResponseBase:
    form = ClassesForm(request.membership.lab, request.POST)
    if not form.is_valid():
        return settings_page(request, classes_form=form, status=422)
    change_classes(request.membership.lab, form.wanted)
    messages.success(
        request, _("Saved. What was decided before stays as it is, and keeps its rows in every count.")
    )
    return redirect("ui:lab-settings")


@needs(Permission.MANAGE_LAB)
@require_POST
@fresh_sign_in
def set_turnaround(request: MemberRequest) -> HttpResponseBase:
    form = TurnaroundForm(request.membership.lab, request.POST)
    if not form.is_valid():
        return settings_page(request, turnaround_form=form, status=422)
    change_turnaround(request.membership.lab, **form.cleaned_data)
    messages.success(request, _("Saved. It holds for the cases under way, too."))
    return redirect("ui:lab-settings")


@needs(Permission.MANAGE_LAB)
@require_POST
@fresh_sign_in
def change_critical_calls(request: MemberRequest) -> HttpResponseBase:
    form = CriticalCallForm(request.POST, label_suffix="")
    if not form.is_valid():
        return settings_page(request, call_form=form, status=422)
    change_limit(request.membership.lab, form.cleaned_data["minutes"])
    messages.success(request, _("Saved. It holds for results that are signed from now on."))
    return redirect("ui:lab-settings")


def settings_page(
    request: MemberRequest,
    *,
    form: LabForm | None = None,
    scanner_form: ScannerForm | None = None,
    classes_form: ClassesForm | None = None,
    turnaround_form: TurnaroundForm | None = None,
    call_form: CriticalCallForm | None = None,
    conflict: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form or LabForm(instance=request.membership.lab),
        "scanner_form": scanner_form or ScannerForm(label_suffix=""),
        "classes_form": classes_form or ClassesForm(request.membership.lab),
        "turnaround_form": turnaround_form or TurnaroundForm(request.membership.lab),
        "call_form": call_form
        or CriticalCallForm(
            label_suffix="", initial={"minutes": request.membership.lab.critical_call_minutes}
        ),
        "scanners": scanners(),
        "conflict": conflict,
    }
    return render(request, "ui/labs/settings.html", context, status=status)
