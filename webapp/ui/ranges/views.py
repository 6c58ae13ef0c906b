"""A lab's reference ranges by class: what counts, what is proposed instead, and approving it."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from webapp.accounts.reauthentication import fresh_sign_in
from webapp.labs.permissions import Permission
from webapp.ranges import selectors, services, wording
from webapp.ranges.models import ReferenceRange
from webapp.ranges.tables import COLUMNS, InvalidTable, as_download, parse, shipped
from webapp.ranges.values import Values
from webapp.ui.permissions import MemberRequest, needs
from webapp.ui.ranges.forms import ChosenForm, CorrectionForm, GroupForm, RangeForm, TableForm


@needs(Permission.VIEW_CASES)
@require_GET
def ranges(request: MemberRequest) -> HttpResponseBase:
    return _page(request)


@needs(Permission.VIEW_CASES)
@require_GET
def export(request: MemberRequest) -> HttpResponseBase:
    """What counts, as the table that this page takes."""
    return StreamingHttpResponse(
        as_download(selectors.valid_now(request.membership.lab_id)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="ranges.csv"'},
    )


@needs(Permission.APPROVE)
@require_POST
def propose_shipped(request: MemberRequest) -> HttpResponseBase:
    return _propose(request, shipped())


@needs(Permission.APPROVE)
@require_POST
def propose_one(request: MemberRequest) -> HttpResponseBase:
    form = RangeForm(request.POST, label_suffix="")
    if not form.is_valid():
        return _page(request, form=form, status=422)
    return _propose(request, [form.values])


@needs(Permission.APPROVE)
@require_POST
def propose_table(request: MemberRequest) -> HttpResponseBase:
    """Check a table, or propose what it says."""
    form = TableForm(request.POST, label_suffix="")
    if not form.is_valid():
        return _page(request, table_form=form, status=422)
    try:
        rows = parse(form.cleaned_data["table"])
    except InvalidTable as error:
        return _page(request, table_form=form, table_errors=error.errors, status=422)
    if "check" in request.POST:
        return _page(request, table_form=form, checked=len(rows))
    return _propose(request, rows)


@needs(Permission.APPROVE)
@require_POST
@fresh_sign_in
def approve(request: MemberRequest) -> HttpResponseBase:
    ids = _chosen(request)
    if isinstance(ids, HttpResponse):
        return ids
    try:
        rows = services.approve(request.membership.lab, ids, by=request.user)
    except services.NotWhole as error:
        return _page(request, problems=error.problems, status=409)
    except services.NotProposed as error:
        return _page(request, problems=[str(error)], status=409)
    n = len(rows)
    text = ngettext(
        "%(n)s range approved. It counts from now on.", "%(n)s ranges approved. They count from now on.", n
    )
    messages.success(request, text % {"n": n})
    return redirect("ui:ranges")


@needs(Permission.APPROVE)
@require_POST
def withdraw(request: MemberRequest) -> HttpResponseBase:
    ids = _chosen(request)
    if isinstance(ids, HttpResponse):
        return ids
    try:
        services.withdraw(request.membership.lab, ids)
    except services.NotProposed as error:
        return _page(request, problems=[str(error)], status=409)
    return redirect("ui:ranges")


@needs(Permission.APPROVE)
@require_POST
@fresh_sign_in
def retire(request: MemberRequest) -> HttpResponseBase:
    form = GroupForm(request.POST)
    if not form.is_valid():
        return _page(request, problems=[_("There is no such class of cells.")], status=422)
    services.retire(request.membership.lab, **form.cleaned_data, by=request.user)
    return redirect("ui:ranges")


@needs(Permission.APPROVE)
@require_POST
@fresh_sign_in
def set_correction(request: MemberRequest) -> HttpResponseBase:
    form = CorrectionForm(request.POST, label_suffix="")
    if not form.is_valid():
        return _page(request, correction_form=form, status=422)
    services.set_correction(request.membership.lab, **form.cleaned_data)
    messages.success(request, _("Saved. It holds from now on, for every case that is not signed."))
    return redirect("ui:ranges")


def _chosen(request: MemberRequest) -> list[int] | HttpResponse:
    there = selectors.proposed(request.membership.lab_id).values_list("id", flat=True)
    form = ChosenForm(request.POST, list(there))
    if form.is_valid():
        found: list[int] = form.cleaned_data["ids"]
        return found
    if request.POST.getlist("ids"):
        return _page(request, problems=[str(services.NotProposed())], status=409)
    return _page(request, problems=list(map(str, form.errors["ids"])), status=422)


def _propose(request: MemberRequest, rows: Sequence[Values]) -> HttpResponseBase:
    try:
        made = services.propose(request.membership.lab, rows, by=request.user)
    except services.TooMany as error:
        return _page(request, problems=[str(error)], status=409)
    _say_proposed(request, made)
    return redirect("ui:ranges")


def _say_proposed(request: MemberRequest, made: Sequence[ReferenceRange]) -> None:
    n = len(made)
    if not n:
        messages.info(request, _("All of it is proposed already, or counts."))
        return
    text = ngettext(
        "%(n)s range proposed. It counts for nothing until somebody approves it.",
        "%(n)s ranges proposed. They count for nothing until somebody approves them.",
        n,
    )
    messages.success(request, text % {"n": n})


def _page(
    request: MemberRequest,
    *,
    form: RangeForm | None = None,
    table_form: TableForm | None = None,
    correction_form: CorrectionForm | None = None,
    table_errors: Sequence[Any] = (),
    checked: int | None = None,
    problems: Sequence[str] = (),
    status: int = 200,
) -> HttpResponse:
    groups = [
        {
            "cell_class": one.cell_class,
            "quantity": one.quantity,
            "name": wording.group(one.cell_class, one.quantity),
            "valid": [_shown(row) for row in one.valid],
            "proposals": [
                _shown(proposal.row) | {"replaced": [_shown(row) for row in proposal.replaced]}
                for proposal in one.proposals
            ],
        }
        for one in selectors.groups(request.membership.lab_id)
    ]
    context = {
        "groups": groups,
        "form": form or RangeForm(label_suffix=""),
        "table_form": table_form or TableForm(label_suffix=""),
        "correction_form": correction_form
        or CorrectionForm(
            label_suffix="", initial={"nrbc_correction_from": request.membership.lab.nrbc_correction_from}
        ),
        "columns": COLUMNS,
        "table_errors": table_errors,
        "checked": checked,
        "problems": problems,
        "may_approve": request.membership.may(Permission.APPROVE),
        "n_proposed": sum(len(group["proposals"]) for group in groups),
    }
    return render(request, "ui/ranges/ranges.html", context, status=status)


def _shown(row: ReferenceRange) -> dict[str, Any]:
    return {
        "row": row,
        "ages": wording.ages(row.age_from_days, row.age_to_days),
        "normal": wording.normal(row),
        "critical": wording.critical(row),
    }
