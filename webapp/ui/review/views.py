"""The page on which a person decides of what class each cell of a case is."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from webapp.cases.disclosure import open_case
from webapp.cases.models import UNDER_WAY, Case, Review
from webapp.cases.selectors import progress_of
from webapp.hematology.classes import BY_CODE, KEYS, REVIEW_ORDER, UNIDENTIFIED
from webapp.hematology.remarks import SUBJECTS, TERMS
from webapp.inference.selectors import class_name, class_short
from webapp.labs.permissions import Permission
from webapp.results.answers import sheets_json
from webapp.results.sheets import sheets
from webapp.results.signing import ASKED
from webapp.review import selectors
from webapp.review.answers import cells_json
from webapp.review.cells import Wanted
from webapp.review.models import Reading
from webapp.review.permissions import may_decide
from webapp.review.services import ReadsBlinded, open_reading
from webapp.ui.permissions import MemberRequest, needs
from webapp.ui.review.links import reading_links

LONGEST_ID = 18  # digits, which a number in the database can have whatever they are
FIRST_CELLS = 240  # that come with the page: more than a large screen shows
FIRST_MOSAICS = 1  # that the browser is told of before it has read the scripts
MODULES = (
    *("ui/kept.js", "ui/key-list.js", "ui/keys.js", "ui/language.js"),
    *("ui/review/bench.js", "ui/review/earlier.js", "ui/review/grid.js", "ui/review/kept.js"),
    "ui/review/keys.js",
    *("ui/review/limits.js", "ui/review/page.js", "ui/review/pictures.js", "ui/review/queue.js"),
    "ui/review/remarks.js",
    *("ui/review/selection.js", "ui/review/server.js", "ui/review/state.js", "ui/review/store.js"),
    *("ui/review/tour.js", "ui/review/undo.js", "ui/review/words.js"),
    *("ui/review/views/bar.js", "ui/review/views/cell.js", "ui/review/views/dialogs.js"),
    "ui/review/views/earlier.js",
    *("ui/review/views/gallery.js", "ui/review/views/head.js", "ui/review/views/large.js"),
    "ui/review/views/remarks.js",
    *("ui/review/views/panel.js", "ui/cell/evidence.js", "ui/upload/limits.js", "ui/upload/retry.js"),
    *("ui/vendor/htm-3.1.1.min.js", "ui/vendor/preact-11.2.0.min.js"),
    *("ui/vendor/preact-hooks-11.2.0.min.js", "ui/vendor/preact-signals-2.11.4.min.js"),
    "ui/vendor/preact-signals-core-1.14.5.min.js",
)
"""All that the page's script imports, so that the browser fetches it at once and not one behind the other."""


@needs(Permission.DECIDE)
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    """A case's cells to be decided: in the reading asked for, else one's own blinded one, else the first.

    A POST opens the first.
    """
    case = open_case(case_id)
    if request.method == "POST":
        with suppress(ReadsBlinded):  # their own is what the page shows
            open_reading(case, Reading.Kind.FIRST, reader=request.user)
        return redirect("ui:review", case.id)
    reading = _reading(request, case)
    if reading is None:
        return render(request, "ui/review/begin.html", {"case": case})
    seed = _seed(request, reading)
    context = {
        "case": case,
        "seed": seed,
        "modules": MODULES,
        "first_mosaics": seed["cells"]["mosaics"][:FIRST_MOSAICS],
    }
    return render(request, "ui/review/workbench.html", context)


def _reading(request: MemberRequest, case: Case) -> Reading | None:
    """The one asked for; else their own, while they read the case blinded; else the first.

    Raises:
        Http404: there is none that they may see, of those asked for.
    """
    found = selectors.reviews(case, request.user)
    asked = request.GET.get("reading", "")
    if asked:
        is_number = asked.isascii() and asked.isdigit() and len(asked) <= LONGEST_ID
        return get_object_or_404(found, pk=int(asked) if is_number else None)
    mine = found.filter(selectors.BLINDED, reader=request.user).first()
    return mine or found.filter(kind=Reading.Kind.FIRST).first()


def _seed(request: MemberRequest, reading: Reading) -> dict[str, Any]:
    """All that the page's script begins with, so that it asks for nothing before the first picture."""
    case, lab = reading.case, reading.lab
    found = sheets(case, selectors.counts_of(case, reading), lab)
    found = found.shown(identifiers=request.membership.may(Permission.VIEW_IDENTIFIERS))
    classes = [
        {
            "code": one.code,
            "name": class_name(one.code),
            "short": class_short(one.code),
            "key": KEYS[one.code],
            "in_wbc": one.in_wbc,
            "unit": one.unit,
        }
        for one in lab.cell_classes
    ]
    cells = cells_json(reading, Wanted(), mosaic_address, limit=FIRST_CELLS)
    cells["people"] |= {request.user.pk: str(request.user)}
    return {
        "accession": case.accession,
        "lab": str(lab.pk),
        "me": request.user.pk,
        "reading": reading.pk,
        "readings": reading_links(case, request.user),
        "may_decide": may_decide(request.membership, reading) and not reading.is_over,
        "may_read_words": request.membership.may(Permission.VIEW_IDENTIFIERS),
        "in_progress": progress_of([case])[case.id].in_progress,
        "classes": classes,
        "all_classes": [
            {"code": code, "name": class_name(code), "short": class_short(code)} for code in BY_CODE
        ],
        "unidentified": class_name(UNIDENTIFIED),
        "remark_terms": _remark_terms(),
        "may_finish": reading.kind == Reading.Kind.SECOND and reading.finished_at is None,
        "order": list(REVIEW_ORDER),
        "cells": cells,
        "differential": sheets_json(found),
        "addresses": {
            "case": reverse("ui:case", args=[case.id]),
            "checks": reverse("ui:checks", args=[case.id]),
            "sign": reverse("ui:sign", args=[case.id]) if _may_sign(request, reading) else "",
            "reading": reverse("api:reading", args=[reading.pk]),
            "history": reverse("api:case-history", args=[case.id]) if _has_history(request, case) else "",
            "token": get_token(request),
            "tour": static("ui/vendor/driver-1.8.0.min.js"),
            "tour_style": static("ui/vendor/driver-1.8.0.css"),
        },
    }


def _remark_terms() -> list[dict[str, Any]]:
    """What may be remarked, by subject."""
    return [
        {
            "code": subject,
            "name": _(name),
            "terms": [
                {"code": term.code, "name": _(term.name), "grades": term.grades}
                for term in TERMS.values()
                if term.subject == subject
            ],
        }
        for subject, name in SUBJECTS.items()
    ]


def _may_sign(request: MemberRequest, reading: Reading) -> bool:
    """Whether this person may sign what the reading comes to, now: the first is what is signed."""
    can_be = reading.kind == Reading.Kind.FIRST and reading.case.review in (*UNDER_WAY, Review.REVIEWED)
    return can_be and all(request.membership.may(one) for one in ASKED)


def _has_history(request: MemberRequest, case: Case) -> bool:
    """Whether the patient is known, to somebody who may know it."""
    return case.patient_id is not None and request.membership.may(Permission.VIEW_IDENTIFIERS)


def mosaic_address(case_id: UUID, cells: list[int]) -> str:
    return reverse("ui:mosaic", args=[case_id, cells])
