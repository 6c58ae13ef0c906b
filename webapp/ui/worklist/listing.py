"""The worklist as its page shows it: the cases asked for, and by what more can be asked."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from webapp.cases.models import Case, Processing
from webapp.cases.selectors import called
from webapp.labs.models import Membership
from webapp.ui.permissions import MemberRequest
from webapp.ui.worklist.rows import rows_context
from webapp.worklist import selectors
from webapp.worklist.filters import (
    AGES,
    FLAGS,
    MINE,
    NOBODY,
    PRIORITIES,
    REVIEWS,
    SORTS,
    Wanted,
    age_label,
    named,
    parse,
)
from webapp.worklist.models import SavedFilter
from webapp.worklist.people import people

CASES_A_PAGE = 50


def default_address(request: MemberRequest) -> str | None:
    """Of the filter that the member's worklist begins with, where nothing else is asked for."""
    if request.GET:
        return None
    default = selectors.saved_filters(request.membership).filter(is_default=True).first()
    return address_of(default, _ids(people(request.membership.lab))) if default else None


def address_of(saved: SavedFilter, ids: set[int]) -> str:
    """Of the worklist by a saved filter, without what is no more."""
    wanted, _invalid = parse(saved.query, ids)
    return f"{reverse('ui:worklist')}?{urlencode({**wanted.query, 'saved': saved.pk})}"


def list_context(request: MemberRequest) -> dict[str, Any]:
    """What the page needs of the cases asked for.

    Raises:
        Http404: what was asked for is nothing that can be.
    """
    member = request.membership
    wanted, invalid = parse(request.GET.dict())
    if invalid:
        raise Http404
    prefix = prefix_of(request)
    try:
        found = selectors.page(
            member, wanted, CASES_A_PAGE + 1, prefix=prefix, after=_uuid(request.GET.get("after"))
        )
    except selectors.NoSuchPlace:
        raise Http404 from None
    shown, workers = found[:CASES_A_PAGE], people(member.lab)
    context = rows_context(request, shown, {one.id for one in shown if selectors.is_without_flags(one)})
    saved = list(selectors.saved_filters(member))
    current = next((one for one in saved if str(one.pk) == request.GET.get("saved")), None)
    return {
        **context,
        "q": prefix,
        "wanted": wanted,
        "fields": _fields(wanted, workers),
        "tabs": _tabs(member, wanted, prefix),
        "saved": [(one, address_of(one, _ids(workers)), one == current) for one in saved],
        "gone": named(parse(current.query, _ids(workers))[1]) if current else "",
        "after": shown[-1].id if len(found) > CASES_A_PAGE else None,
        "is_first_page": "after" not in request.GET,
        "in_progress": any(progress.in_progress for _case, progress, _patient in context["rows"]),
        "back": request.get_full_path() if request.method == "GET" else reverse("ui:worklist"),
    }


def the_one(request: MemberRequest) -> Case | None:
    """The case that somebody means who scans or types an accession and presses Enter; None: no one alone.

    It is the one called so, in whatever state, or else the only one of those asked for that it begins.
    """
    prefix, (wanted, _invalid) = prefix_of(request), parse(request.GET.dict())
    if not prefix:
        return None
    found = [one] if (one := called(prefix)) else selectors.page(request.membership, wanted, 2, prefix=prefix)
    return found[0] if len(found) == 1 else None


def prefix_of(request: MemberRequest) -> str:
    """With which the accessions that are searched for begin."""
    return request.GET.get("q", "").replace("\0", "").strip()


def back_to(request: MemberRequest) -> str:
    """The place in the worklist from which a form was sent, if it says so."""
    here, back = reverse("ui:worklist"), request.POST.get("back", "")
    return back if back == here or back.startswith(f"{here}?") else here


def _fields(wanted: Wanted, workers: list[Membership]) -> list[dict[str, Any]]:
    """The menus by which cases can be asked for, each with what it says now."""
    persons = [(str(one.user_id), str(one.user)) for one in workers]
    ages = sorted({*AGES, int(wanted.older_than or AGES[0])})
    menus: dict[str, tuple[str, list[tuple[str, Any]]]] = {
        "review": (
            _("Review"),
            [(value, label) for value, label in REVIEWS.items() if value != "unfinished"],
        ),
        "processing": (_("State"), list(Processing.choices)),
        "priority": (_("Priority"), [(name, one.label) for name, one in reversed(PRIORITIES.items())]),
        "assignee": (_("Whose"), [(MINE, _("mine")), (NOBODY, _("nobody's")), *persons]),
        "flag": (_("Flag"), list(FLAGS.items())),
        "older_than": (_("Age"), [(str(hours), age_label(hours)) for hours in ages]),
        "sort": (_("Order"), list(SORTS.items())),
    }
    nothing = {"review": REVIEWS["unfinished"], "sort": SORTS["due" if wanted.is_of_work else "newest"]}
    return [
        {
            "name": name,
            "label": label,
            "nothing": nothing.get(name, _("any")),
            "choices": choices,
            "value": getattr(wanted, name),
        }
        for name, (label, choices) in menus.items()
    ]


def _tabs(member: Membership, wanted: Wanted, prefix: str) -> list[dict[str, Any]]:
    """The worklist's usual parts, with how many cases each has."""
    counts = selectors.counts(member)
    parts: list[tuple[Any, Wanted, int]] = [
        (_("All work"), Wanted(), counts.unfinished),
        (_("Mine"), Wanted(assignee=MINE), counts.mine),
        (_("Nobody's"), Wanted(assignee=NOBODY), counts.nobody),
        (_("Overdue"), Wanted(overdue="1"), counts.overdue),
        *((REVIEWS[state], Wanted(review=state), n) for state, n in counts.review.items()),
        *(
            (state.label, Wanted(processing=state.value), counts.processing[state.value])
            for state in (Processing.NEEDS_ATTENTION, Processing.CLASSIFYING)
        ),
    ]
    return [
        {
            "label": label,
            "count": n,
            "address": f"{reverse('ui:worklist')}?{urlencode(part.query or {'q': ''})}",
            "is_current": part.narrows == wanted.narrows and not prefix,
        }
        for label, part, n in parts
    ]


def _ids(workers: list[Membership]) -> set[int]:
    return {one.user_id for one in workers}


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Http404 from None
