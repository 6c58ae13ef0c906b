"""From which change since the result before a lab wants a value marked."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from webapp.accounts.reauthentication import fresh_sign_in
from webapp.labs.permissions import Permission
from webapp.results import delta_limits
from webapp.ui.permissions import MemberRequest, needs
from webapp.ui.results.forms import DeltaLimitForm


@needs(Permission.APPROVE)
@require_http_methods(["GET", "HEAD", "POST"])
def limit_list(request: MemberRequest) -> HttpResponseBase:
    if request.method != "POST":
        return _page(request)
    form = DeltaLimitForm(request.POST)
    if form.is_valid():
        try:
            delta_limits.propose(request.membership.lab, by=request.user, **form.cleaned_data)
            return redirect("ui:delta-limits")
        except delta_limits.NoSuchQuantity as error:
            form.add_error("quantity", str(error))
    return _page(request, form=form, status=422)


@needs(Permission.APPROVE)
@require_POST
@fresh_sign_in
def approve(request: MemberRequest, limit_id: int) -> HttpResponseBase:
    return _done(request, limit_id, delta_limits.approve)


@needs(Permission.APPROVE)
@require_POST
@fresh_sign_in
def retire(request: MemberRequest, limit_id: int) -> HttpResponseBase:
    return _done(request, limit_id, delta_limits.retire)


def _done(request: MemberRequest, limit_id: int, deed: Callable[..., Any]) -> HttpResponseBase:
    limit = get_object_or_404(delta_limits.of_lab(request.membership.lab), id=limit_id)
    try:
        deed(limit, by=request.user)
    except delta_limits.LimitFails as error:
        return _page(request, conflict=str(error), status=409)
    return redirect("ui:delta-limits")


def _page(
    request: MemberRequest, *, form: DeltaLimitForm | None = None, conflict: str = "", status: int = 200
) -> HttpResponse:
    limits = list(delta_limits.of_lab(request.membership.lab))
    context = {
        "limits": [one for one in limits if not one.retired_at],
        "retired": [one for one in limits if one.retired_at],
        "form": form or DeltaLimitForm(),
        "conflict": conflict,
    }
    return render(request, "ui/results/delta_limits.html", context, status=status)
