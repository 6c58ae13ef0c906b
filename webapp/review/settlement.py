"""Settling on which class a cell is where a case's readings differ: each becomes a decision of the first
reading. A third person settles alone. What one of both readers proposes counts once the other confirms it;
until then either takes it back. Whoever calls has checked that the person may."""

from collections.abc import Collection, Mapping

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.cases.closing import ReviewOver
from webapp.cases.models import UNDER_WAY, Case
from webapp.cases.services import hold
from webapp.review.cells import applied
from webapp.review.models import Agreement, Decision, Disagreement, Reading
from webapp.review.services import Choice, Sent, check_classes, decide

SIDES = ("first", "second")
SETTLED = ("settled_class", "how", "in_favour_of", "settled_by", "settled_with", "number", "settled_at")
PROPOSED = ("proposed_class", "proposed_for", "proposed_by", "proposed_to", "proposed_at")


class NotThird(Exception):
    """One of both readers cannot settle it alone."""

    def __str__(self) -> str:
        return _("You are one of both readers: settle it together with the other, or leave it to a third.")


class NotBoth(Exception):
    """Who settles together are the two readers, and nobody else."""

    def __str__(self) -> str:
        return _("Only the two readers settle together, one of each reading.")


class NotOpen(Exception):
    """Cells on which the readings do not differ, or that are settled."""

    def __init__(self, cells: Collection[int]) -> None:
        super().__init__(cells)
        self.cells = cells

    def __str__(self) -> str:
        return _("Some of these cells are settled already, or the readings do not differ on them.")


class NotProposedSo(Exception):
    """What was to be confirmed or taken back is proposed otherwise by now, or to somebody else."""

    def __str__(self) -> str:
        return _("Some of this is proposed otherwise by now, or not any more. Nothing was done: look again.")


def readers_of_first(agreement: Agreement) -> dict[int, User]:
    """Whoever decided in the first reading before it was compared."""
    made = Decision.objects.filter(reading=agreement.first_id, number__lte=agreement.first_revision)
    return User.objects.in_bulk(list(made.order_by().values_list("by", flat=True).distinct()))


def is_reader(agreement: Agreement, person: User) -> bool:
    return person.pk == agreement.second.reader_id or person.pk in readers_of_first(agreement)


def in_favour_of(agreement: Agreement, side: str) -> dict[int, str]:
    """All that is open, as one reading has it; what that one left undecided stays open."""
    if side not in SIDES:
        # untranslated: a fault of the caller's
        raise ValueError(side)
    rows = Disagreement.objects.filter(agreement=agreement, settled_class="")
    wanted = dict(rows.values_list("cell_id", f"{side}_class"))
    return {cell: code for cell, code in wanted.items() if code}


@transaction.atomic
def settle(
    agreement: Agreement, classes: Mapping[int, str], *, by: User, side: str = ""
) -> list[Disagreement]:
    """Settle cells as a third person, each on a class. What was proposed of them is void.

    Args:
        classes: by cell.
        side: the reading in whose favour all of them are.

    Raises:
        ReviewOver, NotThird, NotOpen
        UnknownClass, ClassNotUsed: as for decisions.
    """
    case = _held(agreement)
    if is_reader(agreement, by):
        raise NotThird
    found = _open(agreement, classes)
    for row in found.values():
        row.how, row.in_favour_of, row.settled_by = Disagreement.How.THIRD, side, by
    return _decided(case, agreement, found, classes, by=by)


@transaction.atomic
def propose(
    agreement: Agreement, classes: Mapping[int, str], *, by: User, to: User, side: str = ""
) -> list[Disagreement]:
    """Propose to the other reader what cells are; it takes the place of what was proposed of them before.

    Args:
        classes, side: as for `settle`.

    Raises:
        ReviewOver, NotBoth, NotOpen
        UnknownClass, ClassNotUsed: as for decisions.
    """
    case = _held(agreement)
    first, second = readers_of_first(agreement), agreement.second.reader_id
    is_pair = (by.pk in first and to.pk == second) or (by.pk == second and to.pk in first)
    if not is_pair or by.pk == to.pk:
        raise NotBoth
    found = _open(agreement, classes)
    check_classes(case.lab, classes)
    for cell, row in found.items():
        row.proposed_class, row.proposed_for = classes[cell], side
        row.proposed_by, row.proposed_to, row.proposed_at = by, to, timezone.now()
    Disagreement.objects.bulk_update(found.values(), PROPOSED)
    if found:
        _record(Action.SETTLEMENT_PROPOSED, case, agreement, len(found))
    return list(found.values())


@transaction.atomic
def confirm(agreement: Agreement, seen: Mapping[int, str], *, by: User) -> list[Disagreement]:
    """Confirm what the other reader proposed: from now on both have settled it.

    Args:
        seen: the classes proposed, by cell, as they were shown.

    Raises:
        ReviewOver, NotOpen
        NotProposedSo: something else is proposed by now, or not to them.
    """
    case = _held(agreement)
    found = _open(agreement, seen)
    for cell, row in found.items():
        if row.proposed_to_id != by.pk or row.proposed_class != seen[cell]:
            raise NotProposedSo
    for row in found.values():
        row.how, row.in_favour_of = Disagreement.How.TOGETHER, row.proposed_for
        row.settled_by, row.settled_with = row.proposed_by, by
    return _decided(case, agreement, found, seen, by=by)


@transaction.atomic
def take_back(agreement: Agreement, cells: Collection[int], *, by: User) -> list[Disagreement]:
    """Take back what one proposed, or turn down what was proposed to one.

    Raises:
        ReviewOver, NotOpen
        NotProposedSo: there is nothing that is theirs to take back.
    """
    case = _held(agreement)
    found = _open(agreement, cells)
    if any(by.pk not in (row.proposed_by_id, row.proposed_to_id) for row in found.values()):
        raise NotProposedSo
    for row in found.values():
        _clear(row)
    Disagreement.objects.bulk_update(found.values(), PROPOSED)
    if found:
        _record(Action.SETTLEMENT_TAKEN_BACK, case, agreement, len(found))
    return list(found.values())


def _held(agreement: Agreement) -> Case:
    case = hold(agreement.case)
    if case.review not in UNDER_WAY:
        raise ReviewOver
    return case


def _open(agreement: Agreement, cells: Collection[int]) -> dict[int, Disagreement]:
    rows = Disagreement.objects.select_for_update(of=("self",)).filter(agreement=agreement, settled_class="")
    found = {row.cell_id: row for row in rows.filter(cell__in=list(cells))}
    if missing := set(cells) - found.keys():
        raise NotOpen(missing)
    return found


def _decided(
    case: Case,
    agreement: Agreement,
    found: Mapping[int, Disagreement],
    classes: Mapping[int, str],
    *,
    by: User,
) -> list[Disagreement]:
    """Make what is settled decisions of the first reading. How and by whom stands in the rows."""
    if not found:
        return []
    first = Reading.objects.select_related("case__lab", "lab").get(id=agreement.first_id)
    choices = [Choice(cell, code) for cell, code in classes.items()]
    outcome = decide(first, choices, by=by, sent=Sent(base_revision=first.revision))
    numbers = {}
    for place, (cell, *_rest) in enumerate(applied(outcome.gesture)):
        numbers[cell] = outcome.gesture.revision - outcome.gesture.n + 1 + place
    for cell, row in found.items():
        row.settled_class, row.number = classes[cell], numbers[cell]
        row.settled_at = Now()  # the database's, as that of the decision
        _clear(row)
    Disagreement.objects.bulk_update(found.values(), [*SETTLED, *PROPOSED])
    rows = list(found.values())
    _record(
        Action.DISAGREEMENTS_SETTLED,
        case,
        agreement,
        len(rows),
        how=rows[0].how,
        in_favour_of=rows[0].in_favour_of,
    )
    return rows


def _clear(row: Disagreement) -> None:
    row.proposed_class = row.proposed_for = ""
    row.proposed_by = row.proposed_to = row.proposed_at = None


def _record(action: Action, case: Case, agreement: Agreement, cells: int, **more: str) -> None:
    record(
        action,
        lab=case.lab_id,
        subject=case.accession,
        subject_id=f"case {case.id}",
        after={"reading": agreement.first_id, "cells": cells, **more},
    )
