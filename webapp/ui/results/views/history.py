"""A patient's earlier signed results beside this one."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.cases.disclosure import open_case
from webapp.labs.permissions import Permission
from webapp.results import history
from webapp.ui.permissions import MemberRequest, needs
from webapp.ui.results.trend import trend_of


@needs(Permission.VIEW_IDENTIFIERS)
@require_GET
def history_page(request: MemberRequest, case_id: UUID) -> HttpResponse:
    case = open_case(case_id)
    given = request.GET.get("before", "")
    try:
        before = history.Place.read(given) if given else None
    except ValueError:
        raise Http404 from None
    found = history.shown(case, request.user, before)
    context = {
        "case": case,
        "history": found,
        "rows": [
            {
                "row": row,
                "cells": list(zip(found.columns, row.values, strict=True)),
                "trend": trend_of(row, found.columns),
            }
            for row in found.rows
        ],
        "is_first_page": before is None,
        "may_review": request.membership.may(Permission.DECIDE),
    }
    return render(request, "ui/results/history.html", context)
