"""Who did what in the lab, or to the installation."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.audit import selectors
from webapp.audit.chain import INSTALLATION
from webapp.audit.export import Format, export
from webapp.audit.selectors import Filters
from webapp.labs.permissions import Permission
from webapp.ui.audit.forms import FilterForm
from webapp.ui.permissions import MemberRequest, PageRequest, for_operators, needs

ENTRIES_A_PAGE = 50


@needs(Permission.VIEW_AUDIT)
@require_GET
def trail(request: MemberRequest) -> HttpResponse:
    """The lab's audit trail."""
    return _trail(request, request.membership.lab_id)


@for_operators
@require_GET
def installation_trail(request: PageRequest) -> HttpResponse:
    """What belongs to no lab: accounts, sign-ins, keys, backups, the trail itself."""
    return _trail(request, INSTALLATION)


@for_operators
@require_GET
def installation_export(request: PageRequest, form: Format) -> HttpResponseBase:
    """All of what is shown there, as a file."""
    asked = FilterForm(request.GET, INSTALLATION)
    return export(INSTALLATION, asked.filters, form) if asked.is_valid() else _trail(request, INSTALLATION)


def _trail(request: PageRequest, chain: UUID) -> HttpResponse:
    """A chain's entries, newest first, a page at a time from before an entry."""
    form = FilterForm(request.GET, chain)
    filters = form.filters if form.is_valid() else None
    found = list(_page(chain, filters, request.GET.get("before", ""))) if filters else []
    shown = found[:ENTRIES_A_PAGE]
    context = {
        "form": form,
        "entries": shown,
        "filtered": filters != Filters(),
        "older": shown[-1].seq if len(found) > ENTRIES_A_PAGE else None,
        "is_first_page": "before" not in request.GET,
        "of_installation": chain == INSTALLATION,
    }
    return render(request, "ui/audit/trail.html", context, status=200 if filters else 422)


def _page(chain: UUID, filters: Filters, before: str) -> Any:
    entries = selectors.entries(chain, filters)
    if before:
        if not (before.isascii() and before.isdigit() and len(before) < 19):
            raise Http404
        entries = entries.filter(seq__lt=int(before))
    return entries[: ENTRIES_A_PAGE + 1]
