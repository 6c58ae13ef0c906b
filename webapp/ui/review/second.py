"""What a case waits for beside its cells: rules that fired, the second reader, and where both differ."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy
from django.views.decorators.http import require_GET, require_POST

from webapp.accounts.models import User
from webapp.cases.closing import ReviewOver
from webapp.cases.disclosure import open_case
from webapp.cases.models import Case
from webapp.inference.selectors import class_name
from webapp.labs.authorization import may
from webapp.labs.models import Membership
from webapp.labs.permissions import Permission
from webapp.patients.services import PatientErased
from webapp.results import rules
from webapp.results.settlement import confirm
from webapp.results.settlement import settle as settle_cells
from webapp.review import disclosure, remarks, second_readers, selectors, settlement
from webapp.review.agreement import disagreements, matrix, seen_agreements
from webapp.review.models import Agreement, Disagreement, Reading, RuleAnswer
from webapp.review.permissions import may_decide
from webapp.review.services import InvalidCells
from webapp.rules.selectors import current
from webapp.ui.permissions import MemberRequest, needs
from webapp.ui.review.views import LONGEST_ID, mosaic_address

ANYBODY = "anybody"
SETTLED = ngettext_lazy("%(n)s cell is settled.", "%(n)s cells are settled.", "n")
NOT_SETTLED = (
    settlement.NotOpen,
    settlement.NotBoth,
    settlement.NotThird,
    settlement.NotProposedSo,
    ReviewOver,
)
SHOWN = 200
"""Cells on which readings differ that come with a page; those that are open come first."""


@needs(Permission.VIEW_CASES)
@require_GET
def checks(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    return _checks(request, open_case(case_id))


@needs(Permission.DECIDE)
@require_POST
def answer(request: MemberRequest, case_id: UUID, rule_id: UUID) -> HttpResponseBase:
    """Say that one saw the case, or take a remark that is proposed, or leave it."""
    case = open_case(case_id)
    rule = get_object_or_404(current(), id=rule_id)
    said = request.POST.get("answer", "")
    if said not in RuleAnswer.Answer.values:
        return _checks(request, case, conflict=_("Choose an answer."), status=422)
    if said == RuleAnswer.Answer.SEEN and not may(request.membership, Permission.SIGN):
        raise PermissionDenied
    reading = selectors.shown_reading(case, request.user)
    if reading is None:
        return _checks(request, case, conflict=str(rules.NotFired()), status=409)
    if not may_decide(request.membership, reading):
        raise PermissionDenied
    return _done(request, case, lambda: rules.answer(reading, rule, RuleAnswer.Answer(said), by=request.user))


@needs(Permission.VIEW_CASES)
@require_POST
def ask(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    """Ask somebody to read the case second."""
    case = open_case(case_id)
    who = request.POST.get("reader", "")
    person = _person(who)
    if who != ANYBODY and person is None:
        return _checks(request, case, conflict=_("Choose who is to read."), status=422)
    _check_may_ask(request.membership)
    return _done(request, case, lambda: second_readers.ask(case, by=request.user, asked=person))


@needs(Permission.VIEW_CASES)
@require_POST
def withdraw(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    case = open_case(case_id)
    if second_readers.standing(case).waiting:
        _check_may_ask(request.membership)
    return _done(request, case, lambda: second_readers.withdraw(case))


@needs(Permission.DECIDE)
@require_POST
def finish(request: MemberRequest, case_id: UUID, reading_id: int) -> HttpResponseBase:
    """Say that one has finished a reading."""
    case = open_case(case_id)
    reading = disclosure.shown(reading_id, request.user)
    if reading.case_id != case.id:
        raise Http404
    if not may_decide(request.membership, reading):
        raise PermissionDenied
    return _done(request, case, lambda: rules.finish(reading, by=request.user))


@needs(Permission.VIEW_CASES)
@require_GET
def agreement(request: MemberRequest, case_id: UUID) -> HttpResponseBase:
    """How far both readings agree, and the cells on which they differ, side by side."""
    return _agreement(request, open_case(case_id))


@needs(Permission.DECIDE)
@require_POST
def settle(request: MemberRequest, case_id: UUID, agreement_id: UUID) -> HttpResponseBase:
    """Settle on the class of cells: of each that was chosen, or of all in favour of one reading. What one of
    both readers chooses is proposed to the other."""
    case = open_case(case_id)
    of = get_object_or_404(seen_agreements(case, request.user), id=agreement_id)
    side = request.POST.get("in_favour_of", "")
    side = side if side in settlement.SIDES else ""
    chosen = settlement.in_favour_of(of, side) if side else _chosen(request, of)
    if not chosen:
        return _agreement(request, case, conflict=_("Choose of what class cells are."), status=422)
    together = _person(request.POST.get("together_with", ""))
    if together is not None:
        text = ngettext_lazy("%(n)s cell is proposed.", "%(n)s cells are proposed.", "n")
        deed = partial(settlement.propose, of, chosen, by=request.user, to=together, side=side)
        return _settled(request, case, deed, text)
    is_third = not settlement.is_reader(of, request.user)
    if is_third and not may(request.membership, Permission.READ_SECOND):
        raise PermissionDenied
    return _settled(request, case, partial(settle_cells, of, chosen, by=request.user, side=side), SETTLED)


@needs(Permission.DECIDE)
@require_POST
def confirm_settled(request: MemberRequest, case_id: UUID, agreement_id: UUID) -> HttpResponseBase:
    """Confirm what the other reader proposed: of one cell, or all that the page showed."""
    case = open_case(case_id)
    of = get_object_or_404(seen_agreements(case, request.user), id=agreement_id)
    one = request.POST.get("cell", "")
    seen = {cell: code for cell, code in _chosen(request, of, "seen").items() if one in ("", str(cell))}
    if not seen:
        return _agreement(request, case, conflict=str(settlement.NotProposedSo()), status=409)
    return _settled(request, case, partial(confirm, of, seen, by=request.user), SETTLED)


@needs(Permission.DECIDE)
@require_POST
def take_back_settled(request: MemberRequest, case_id: UUID, agreement_id: UUID) -> HttpResponseBase:
    """Take back what one proposed of a cell, or turn down what was proposed to one."""
    case = open_case(case_id)
    of = get_object_or_404(seen_agreements(case, request.user), id=agreement_id)
    one = request.POST.get("cell", "")
    cells = [int(one)] if one.isascii() and one.isdigit() and len(one) <= LONGEST_ID else []
    if not cells:
        return _agreement(request, case, conflict=str(settlement.NotProposedSo()), status=409)
    text = ngettext_lazy("%(n)s cell is open again.", "%(n)s cells are open again.", "n")
    return _settled(request, case, partial(settlement.take_back, of, cells, by=request.user), text)


def _settled(
    request: MemberRequest, case: Case, deed: Callable[[], Sequence[Disagreement]], text: Any
) -> HttpResponseBase:
    try:
        done = deed()
    except NOT_SETTLED as error:
        return _agreement(request, case, conflict=str(error), status=409)
    except InvalidCells:
        return _agreement(request, case, conflict=_("The lab does not use this class."), status=422)
    messages.success(request, text % {"n": len(done)})
    return redirect("ui:agreement", case.id)


@dataclass(frozen=True)
class Open:
    """A cell on which readings differ, with its picture and how both call it."""

    of: Disagreement
    picture: str
    first: str
    second: str
    settled: str
    proposed: str
    choices: list[tuple[str, str]]


def _checks(request: MemberRequest, case: Case, *, conflict: str = "", status: int = 200) -> HttpResponse:
    viewer, member = request.user, request.membership
    is_blinded = selectors.is_blinded(case, viewer)
    reading = selectors.shown_reading(case, viewer)
    second = second_readers.standing(case)
    may_ask = member.may(Permission.ASSIGN) or member.may(Permission.SIGN)
    fired = rules.fired(case, reading, rules.interpreted(reading), second=second) if reading else []
    context = {
        "case": case,
        "conflict": conflict,
        "is_blinded": is_blinded,
        "reading": reading,
        "fired": fired,
        "may_see": member.may(Permission.SIGN) and reading is not None and not reading.is_over,
        "may_answer": reading is not None and may_decide(member, reading) and not reading.is_over,
        "second": second,
        "readers": second_readers.asked_for(case),
        "may_ask": may_ask,
        "askable": second_readers.who_may(case) if may_ask and not second.waiting else [],
        "agreements": seen_agreements(case, viewer),
        "may_finish": reading is not None
        and reading.finished_at is None
        and not reading.is_over
        and may_decide(member, reading)
        and (reading.kind == Reading.Kind.SECOND or bool(second.waiting or second.finished) or bool(fired)),
        "remarks": remarks.standing(reading, texts=member.may(Permission.VIEW_IDENTIFIERS))
        if reading
        else (),
        "anybody": ANYBODY,
    }
    return render(request, "ui/review/checks.html", context, status=status)


def _agreement(request: MemberRequest, case: Case, *, conflict: str = "", status: int = 200) -> HttpResponse:
    found = seen_agreements(case, request.user)
    asked = request.GET.get("of", "")
    of = next((one for one in found if str(one.pk) == asked), found.first())
    if of is None:
        return render(
            request, "ui/review/agreement.html", {"case": case, "conflict": conflict}, status=status
        )
    first = settlement.readers_of_first(of)
    others = _others(of, first, request.user)
    reading = Reading.objects.select_related("case", "lab").get(pk=of.first_id)
    may_settle = (
        not reading.is_over
        and request.membership.may(Permission.DECIDE)
        and (bool(others) or request.membership.may(Permission.READ_SECOND))
    )
    rows = list(disagreements(of)[:SHOWN])
    context = {
        "case": case,
        "conflict": conflict,
        "agreement": of,
        "others_of_case": [one for one in found if one.pk != of.pk],
        "matrix": matrix(of),
        "first_readers": list(first.values()),
        "rows": [_open(case, row) for row in rows],
        "more": max(0, of.disagreements.count() - SHOWN),
        "open": of.disagreements.filter(settled_class="").count(),
        "may_settle": may_settle,
        "others": others,
        "for_me": sum(row.proposed_to_id == request.user.pk for row in rows if row.proposed_class),
    }
    return render(request, "ui/review/agreement.html", context, status=status)


def _others(of: Agreement, first: dict[int, User], viewer: User) -> list[User]:
    """With whom the viewer settles together, where they are one of both readers."""
    if viewer.pk == of.second.reader_id:
        return list(first.values())
    return [of.second.reader] if viewer.pk in first and of.second.reader is not None else []


def _open(case: Case, row: Disagreement) -> Open:
    picture = mosaic_address(case.id, [row.cell_id])
    classes = {code: class_name(code) for code in (row.first_class, row.second_class) if code}
    classes |= {one.code: class_name(one.code) for one in case.lab.cell_classes if one.code not in classes}
    return Open(
        row,
        picture,
        first=class_name(row.first_class) if row.first_class else "",
        second=class_name(row.second_class) if row.second_class else "",
        settled=class_name(row.settled_class) if row.settled_class else "",
        proposed=class_name(row.proposed_class) if row.proposed_class else "",
        choices=list(classes.items()),
    )


def _chosen(request: MemberRequest, of: Agreement, field: str = "cell") -> dict[int, str]:
    """Class codes by cell, of the fields that were filled in."""
    cells = of.disagreements.filter(settled_class="").values_list("cell_id", flat=True)
    given = {cell: request.POST.get(f"{field}-{cell}", "") for cell in cells}
    return {cell: code for cell, code in given.items() if code}


def _person(given: str) -> User | None:
    is_number = given.isascii() and given.isdigit() and len(given) <= LONGEST_ID
    return User.objects.filter(pk=int(given)).first() if is_number else None


def _check_may_ask(member: Membership) -> None:
    if not (member.may(Permission.ASSIGN) or may(member, Permission.SIGN)):
        raise PermissionDenied


def _done(request: MemberRequest, case: Case, deed: Callable[[], object]) -> HttpResponseBase:
    try:
        deed()
    except (
        rules.NotFired,
        PatientErased,
        ReviewOver,
        second_readers.AskedAlready,
        second_readers.CannotReadSecond,
        second_readers.NotWithdrawn,
        second_readers.Undecided,
    ) as error:
        return _checks(request, case, conflict=str(error), status=409)
    return redirect(reverse("ui:checks", args=[case.id]))
