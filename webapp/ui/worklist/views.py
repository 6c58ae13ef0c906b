"""What is done with the worklist: taking, releasing and assigning cases, and keeping filters."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from webapp.cases.disclosure import open_case
from webapp.cases.models import Case
from webapp.labs.permissions import Permission
from webapp.ui.permissions import MemberRequest, needs
from webapp.ui.worklist.forms import AssignForm, FilterForm, TakeForm
from webapp.ui.worklist.listing import address_of, back_to
from webapp.worklist import assigning, saving, selectors
from webapp.worklist.assigning import AssignedMeanwhile, NotAssignable
from webapp.worklist.filters import parse
from webapp.worklist.models import SavedFilter
from webapp.worklist.people import people


@needs(Permission.DECIDE)
@require_http_methods(["GET", "POST"])
def take(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    """Make a case one's own. Who would take it from somebody sees first whose it is, and since when."""
    case = open_case(case_id)
    form = TakeForm(request.POST)
    if request.method == "GET" or not form.is_valid():
        return _take_page(request, case, status=200 if request.method == "GET" else 422)
    try:
        seen = form.cleaned_data["instead_of"]
        assigning.assign(case, request.user, by=request.user, instead_of=seen)
    except (AssignedMeanwhile, NotAssignable) as error:
        return _take_page(request, open_case(case_id), conflict=str(error), status=409)
    messages.success(request, _("%(case)s is yours now.") % {"case": case.accession})
    return redirect(f"{back_to(request)}#case-{case.id}")


@needs(Permission.DECIDE)
@require_POST
def release(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    """Make one's own case nobody's."""
    case = open_case(case_id)
    try:
        assigning.assign(case, None, by=request.user, instead_of=request.user.pk)
    except (AssignedMeanwhile, NotAssignable) as error:
        return _take_page(request, case, conflict=str(error), status=409)
    messages.success(request, _("%(case)s is nobody's now.") % {"case": case.accession})
    return redirect(f"{back_to(request)}#case-{case.id}")


@needs(Permission.ASSIGN)
@require_http_methods(["GET", "POST"])
def assign(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    """Give a case to somebody, or to nobody."""
    case = open_case(case_id)
    persons = {str(one.user_id): one.user for one in people(request.membership.lab)}
    choices = [(user_id, str(user)) for user_id, user in persons.items()]
    if request.method == "GET":
        return _assign_page(request, case, _assign_form(case, choices))
    form = AssignForm(request.POST, people=choices)
    if not form.is_valid():
        return _assign_page(request, case, form, status=422)
    to, seen = persons.get(form.cleaned_data["assignee"]), form.cleaned_data["instead_of"]
    try:
        assigning.assign(case, to, by=request.user, instead_of=seen)
    except (AssignedMeanwhile, NotAssignable) as error:
        case = open_case(case_id)
        return _assign_page(request, case, _assign_form(case, choices), conflict=str(error), status=409)
    said = _("%(case)s is %(person)s’s now.") if to else _("%(case)s is nobody's now.")
    messages.success(request, said % {"case": case.accession, "person": to})
    return redirect(f"{back_to(request)}#case-{case.id}")


@needs(Permission.VIEW_CASES)
@require_http_methods(["GET", "POST"])
def filters(request: MemberRequest) -> HttpResponseBase:
    """One's own filters; a POST keeps what is asked for."""
    if request.method == "GET":
        return _filters_page(request)
    wanted, _invalid = parse(request.POST.dict())
    form = FilterForm(request.POST)
    if not form.is_valid():
        return _filters_page(request, new=form, query=wanted.query, status=422)
    try:
        saved = saving.save(request.membership, wanted=wanted, **form.cleaned_data)
    except (saving.NameTaken, saving.TooManyFilters) as error:
        form.add_error("name", str(error))
        return _filters_page(request, new=form, query=wanted.query, status=409)
    messages.success(request, _("Kept as “%(name)s”.") % {"name": saved.name})
    return redirect(address_of(saved, {one.user_id for one in people(request.membership.lab)}))


@needs(Permission.VIEW_CASES)
@require_POST
def change_filter(request: MemberRequest, filter_id: int) -> HttpResponseBase:
    """Rename a filter, have the worklist begin with it, or not any more."""
    saved = _own(request, filter_id)
    form = FilterForm(request.POST, prefix=f"filter-{saved.pk}")
    if not form.is_valid():
        return _filters_page(request, changed=(saved, form), status=422)
    try:
        saving.change(saved, **form.cleaned_data)
    except saving.NameTaken as error:
        form.add_error("name", str(error))
        return _filters_page(request, changed=(saved, form), status=409)
    messages.success(request, _("Saved."))
    return redirect("ui:worklist-filters")


@needs(Permission.VIEW_CASES)
@require_POST
def delete_filter(request: MemberRequest, filter_id: int) -> HttpResponseBase:
    saved = _own(request, filter_id)
    saving.delete(saved)
    messages.success(request, _("“%(name)s” is deleted.") % {"name": saved.name})
    return redirect("ui:worklist-filters")


def _own(request: MemberRequest, filter_id: int) -> SavedFilter:
    return get_object_or_404(selectors.saved_filters(request.membership), id=filter_id)


def _take_page(request: MemberRequest, case: Case, *, conflict: str = "", status: int = 200) -> HttpResponse:
    case = Case.objects.select_related("assignee").get(id=case.id)
    context = {"case": case, "conflict": conflict, "back": back_to(request)}
    return render(request, "ui/worklist/take.html", context, status=status)


def _assign_form(case: Case, choices: list[tuple[str, str]]) -> AssignForm:
    return AssignForm(people=choices, initial={"assignee": str(case.assignee_id or "")})


def _assign_page(
    request: MemberRequest, case: Case, form: AssignForm, *, conflict: str = "", status: int = 200
) -> HttpResponse:
    context = {"case": case, "form": form, "conflict": conflict, "back": back_to(request)}
    return render(request, "ui/worklist/assign.html", context, status=status)


def _filters_page(
    request: MemberRequest,
    *,
    new: FilterForm | None = None,
    query: dict[str, str] | None = None,
    changed: tuple[SavedFilter, FilterForm] | None = None,
    status: int = 200,
) -> HttpResponse:
    ids = {one.user_id for one in people(request.membership.lab)}
    shown: list[dict[str, Any]] = []
    for saved in selectors.saved_filters(request.membership):
        form = FilterForm(
            prefix=f"filter-{saved.pk}", initial={"name": saved.name, "is_default": saved.is_default}
        )
        if changed and changed[0].pk == saved.pk:
            form = changed[1]
        shown.append({"saved": saved, "address": address_of(saved, ids), "form": form})
    context = {"filters": shown, "new": new, "query": query or {}}
    return render(request, "ui/worklist/filters.html", context, status=status)
