"""Critical results of which somebody is to be told, and what came of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from webapp.cases.disclosure import found, open_case
from webapp.cases.models import Case
from webapp.crypto.cipher import Erased, Unreadable
from webapp.labs.permissions import Permission
from webapp.patients.services import PatientErased
from webapp.results import calls
from webapp.results.models import CriticalCall
from webapp.ui.permissions import MemberRequest, needs
from webapp.ui.results.forms import CallForm

CALLS_A_PAGE = 50


@dataclass(frozen=True)
class Shown:
    """A call with its critical values; None: they cannot be decrypted, because the patient was erased or
    otherwise."""

    call: CriticalCall
    values: list[calls.Critical] | None
    is_erased: bool


@needs(Permission.VIEW_CASES)
@require_GET
def call_list(request: MemberRequest) -> HttpResponse:
    """Those that are open, longest due first; or those that have ended."""
    state = request.GET.get("state", "")
    if state not in ("", "ended"):
        raise Http404
    pages = Paginator(calls.ended_calls() if state else calls.open_calls(), CALLS_A_PAGE)
    page = pages.get_page(request.GET.get("page"))
    context = {"page": page, "calls": _with_values(page.object_list), "state": state}
    return render(request, "ui/results/critical.html", context)


@needs(Permission.VIEW_CASES)
@require_GET
def calls_of_case(request: MemberRequest, case_id: UUID) -> HttpResponse:
    return _page(request, open_case(case_id))


@needs(Permission.DECIDE)
@require_POST
def log(request: MemberRequest, case_id: UUID, call_id: UUID) -> HttpResponseBase:
    case = open_case(case_id)
    call = found(calls.calls().filter(case=case), call_id, "call")
    form = CallForm(request.POST)
    if not form.is_valid():
        return _page(request, case, form=form, status=422)
    try:
        entry = calls.log(call, by=request.user, **form.cleaned_data)
    except calls.WrongTime as error:
        form.add_error("at", str(error))
        return _page(request, case, form=form, status=422)
    except (calls.CallEnded, PatientErased) as error:
        return _page(request, case, conflict=str(error), status=409)
    if entry.outcome == entry.Outcome.READ_BACK:
        messages.success(request, _("Written down. The call is done."))
    else:
        messages.warning(request, _("Written down. The call stays open until the values were read back."))
    return redirect("ui:case-calls", case.id)


def _page(
    request: MemberRequest,
    case: Case,
    *,
    form: CallForm | None = None,
    conflict: str = "",
    status: int = 200,
) -> HttpResponse:
    these = list(calls.calls().filter(case=case).order_by("-since", "-id"))
    texts = request.membership.may(Permission.VIEW_IDENTIFIERS)
    entries = calls.entries_shown(case, these, texts=texts)
    context = {
        "case": case,
        "calls": [(one, entries[one.call.id]) for one in _with_values(these)],
        "texts": texts,
        "form": (form or CallForm()) if request.membership.may(Permission.DECIDE) else None,
        "conflict": conflict,
    }
    return render(request, "ui/results/calls.html", context, status=status)


def _with_values(these: Iterable[CriticalCall]) -> list[Shown]:
    return [_shown(call) for call in these]


def _shown(call: CriticalCall) -> Shown:
    try:
        return Shown(call, calls.critical_values(call.result), is_erased=False)
    except Unreadable as error:
        return Shown(call, None, is_erased=isinstance(error, Erased))
