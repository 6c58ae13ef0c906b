"""Signed results, their versions, and what is done about them afterwards."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from webapp.accounts.reauthentication import fresh_sign_in
from webapp.cases.disclosure import open_case
from webapp.cases.identifiers import labels
from webapp.cases.models import Case
from webapp.crypto.cipher import Unreadable
from webapp.labs.permissions import Permission
from webapp.patients.services import PatientErased
from webapp.reports.sheet import sheet_of
from webapp.results import amending
from webapp.results.amending import AmendingFails
from webapp.results.disclosure import result_shown
from webapp.results.models import Result
from webapp.results.selectors import reason_of
from webapp.ui.permissions import MemberRequest, needs
from webapp.ui.results.forms import ReasonForm


@needs(Permission.VIEW_CASES)
@require_GET
def last_result(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    return _page(request, open_case(case_id), None)


@needs(Permission.VIEW_CASES)
@require_GET
def result(request: MemberRequest, case_id: UUID, version: int) -> HttpResponseBase:
    return _page(request, open_case(case_id), version)


@needs(Permission.AMEND)
@require_http_methods(["GET", "HEAD", "POST"])
def amend(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    """Open a signed case again, with a reason."""
    return _with_reason(request, case_id, "amend")


@needs(Permission.AMEND)
@require_POST
def withdraw(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    """Leave the result as it was signed."""
    case = open_case(case_id)
    version = str(request.POST.get("version", ""))
    wanted = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0
    try:
        amending.withdraw(case, request.membership, version=wanted)
    except (AmendingFails, PatientErased) as error:
        return _page(request, case, None, error=str(error), status=HTTPStatus.CONFLICT)
    messages.success(request, _("The amendment is withdrawn. The result stands as it was signed."))
    return redirect("ui:last-result", case.id)


@needs(Permission.AMEND)
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_sign_in
def void(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    """Say that a result is nobody's, with a reason."""
    return _with_reason(request, case_id, "void")


def _with_reason(request: MemberRequest, case_id: UUID, deed: str) -> HttpResponseBase:
    case = open_case(case_id)
    last = Result.objects.filter(case=case).order_by("-version").first()
    form = ReasonForm(
        request.POST if request.method == "POST" else None, initial={"version": last and last.version}
    )
    status = HTTPStatus.OK
    if form.is_bound:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                {"amend": amending.amend, "void": amending.void}[deed](
                    case, request.membership, **form.cleaned_data
                )
                return redirect("ui:case" if deed == "amend" else "ui:last-result", case.id)
            except (AmendingFails, PatientErased) as error:
                form.add_error(None, str(error))
                status = HTTPStatus.CONFLICT
    context = {"case": case, "form": form, "last": last, "deed": deed}
    return render(request, "ui/results/reason.html", context, status=status)


def _page(
    request: MemberRequest, case: Case, version: int | None, *, error: str = "", status: int = HTTPStatus.OK
) -> HttpResponse:
    sees = request.membership.may(Permission.VIEW_IDENTIFIERS)
    shown = result_shown(case, version, viewer=request.user, identifiers=sees)
    found = shown.result
    context: dict[str, Any] = {
        "case": found.case,
        "shown": shown,
        "result": found,
        "last": shown.versions[0],
        "sheet": sheet_of(shown.values) if shown.values else None,
        "sees_patient": sees,
        "since": labels(shown.since.differs),
        "reason": "",
        "Status": Result.Status,
        "error": error,
        "may_amend": request.membership.may(Permission.AMEND),
        "may_sign": request.membership.may(Permission.SIGN),
    }
    if sees:
        try:
            context["reason"] = reason_of(found)
        except Unreadable:
            context["reason"] = ""
    return render(request, "ui/results/result.html", context, status=status)
