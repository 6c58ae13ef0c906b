"""Settling on which class a cell is where a case's readings differ: each becomes a decision of the first
reading. Whoever calls has checked that the person may."""

from collections.abc import Collection, Mapping

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.cases.closing import ReviewOver
from webapp.cases.models import UNDER_WAY
from webapp.cases.services import hold
from webapp.review.cells import applied
from webapp.review.models import Agreement, Decision, Disagreement, Reading
from webapp.review.services import Choice, Sent, decide

SIDES = ("first", "second")


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


def readers_of_first(agreement: Agreement) -> dict[int, User]:
    """Whoever decided in the first reading before it was compared."""
    made = Decision.objects.filter(reading=agreement.first_id, number__lte=agreement.first_revision)
    return User.objects.in_bulk(list(made.order_by().values_list("by", flat=True).distinct()))


def is_reader(agreement: Agreement, person: User) -> bool:
    return person.pk == agreement.second.reader_id or person.pk in readers_of_first(agreement)


def settle(
    agreement: Agreement, classes: Mapping[int, str], *, by: User, together_with: User | None = None
) -> list[Disagreement]:
    """Settle cells, each on a class.

    Args:
        classes: by cell.
        together_with: the other reader, where both readers settle it; a third person gives nobody.

    Raises:
        ReviewOver, NotThird, NotBoth, NotOpen
        UnknownClass, ClassNotUsed: as for decisions.
    """
    return _settle(agreement, classes, by=by, together_with=together_with)


def settle_all(
    agreement: Agreement, side: str, *, by: User, together_with: User | None = None
) -> list[Disagreement]:
    """Settle all that is open in favour of one reading; what that one left undecided stays open.

    Raises:
        As `settle`.
    """
    if side not in SIDES:
        # untranslated: a fault of the caller's
        raise ValueError(side)
    rows = Disagreement.objects.filter(agreement=agreement, settled_class="")
    wanted = dict(rows.values_list("cell_id", f"{side}_class"))
    classes = {cell: code for cell, code in wanted.items() if code}
    return _settle(agreement, classes, by=by, together_with=together_with, side=side)


@transaction.atomic
def _settle(
    agreement: Agreement,
    classes: Mapping[int, str],
    *,
    by: User,
    together_with: User | None,
    side: str = "",
) -> list[Disagreement]:
    case = hold(agreement.case)
    if case.review not in UNDER_WAY:
        raise ReviewOver
    how = _how(agreement, by, together_with)
    rows = Disagreement.objects.select_for_update().filter(agreement=agreement, settled_class="")
    found = {row.cell_id: row for row in rows.filter(cell__in=classes)}
    if missing := classes.keys() - found.keys():
        raise NotOpen(missing)
    if not found:
        return []
    first = Reading.objects.select_related("case__lab", "lab").get(id=agreement.first_id)
    choices = [Choice(cell, code) for cell, code in classes.items()]
    outcome = decide(first, choices, by=by, sent=Sent(base_revision=first.revision))
    numbers = {}
    for place, (cell, *_rest) in enumerate(applied(outcome.gesture)):
        numbers[cell] = outcome.gesture.revision - outcome.gesture.n + 1 + place
    for cell, row in found.items():
        row.settled_class, row.how, row.in_favour_of = classes[cell], how, side
        row.settled_by, row.settled_with, row.number = by, together_with, numbers[cell]
        row.settled_at = Now()  # the database's, as that of the decision
    Disagreement.objects.bulk_update(
        found.values(),
        ["settled_class", "how", "in_favour_of", "settled_by", "settled_with", "number", "settled_at"],
    )
    record(
        Action.DISAGREEMENTS_SETTLED,
        lab=case.lab_id,
        subject=case.accession,
        subject_id=f"case {case.id}",
        after={"reading": first.pk, "cells": len(found), "how": how.value, "in_favour_of": side},
    )
    return list(found.values())


def _how(agreement: Agreement, by: User, together_with: User | None) -> Disagreement.How:
    first, second = readers_of_first(agreement), agreement.second.reader_id
    one_of_both = by.pk == second or by.pk in first
    if together_with is None:
        if one_of_both:
            raise NotThird
        return Disagreement.How.THIRD
    is_pair = (by.pk in first and together_with.pk == second) or (
        by.pk == second and together_with.pk in first
    )
    if not is_pair or by.pk == together_with.pk:
        raise NotBoth
    return Disagreement.How.TOGETHER
