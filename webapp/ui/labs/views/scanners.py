"""What a lab takes pictures with; on the page of its settings."""

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from webapp.cases.selectors import scanners
from webapp.cases.specimen_services import InUse, ThereAlready, add_scanner, remove_scanner
from webapp.labs.permissions import Permission
from webapp.ui.labs.forms import ScannerForm
from webapp.ui.labs.views.settings import settings_page
from webapp.ui.permissions import MemberRequest, needs


@needs(Permission.MANAGE_LAB)
@require_POST
def new_scanner(request: MemberRequest) -> HttpResponseBase:
    form = ScannerForm(request.POST, label_suffix="")
    status = 422
    if form.is_valid():
        try:
            add_scanner(request.membership.lab, **form.cleaned_data)
            return _to_scanners()
        except ThereAlready as error:
            form.add_error("make", str(error))
            status = 409
    return settings_page(request, scanner_form=form, status=status)


@needs(Permission.MANAGE_LAB)
@require_POST
def take_back(request: MemberRequest, scanner_id: int) -> HttpResponseBase:
    try:
        remove_scanner(get_object_or_404(scanners(), id=scanner_id))
    except InUse as error:
        return settings_page(request, conflict=str(error), status=409)
    return _to_scanners()


def _to_scanners() -> HttpResponseBase:
    return redirect(f"{reverse('ui:lab-settings')}#scanners")
