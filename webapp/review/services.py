"""Readings are opened, and decisions added to them. Who calls for a user has checked that they may."""

from collections.abc import Collection

from django.db import connection, transaction
from django.db.models.functions import Now, TruncMinute

from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.cases.models import Case, Cell, Review
from webapp.cases.services import hold
from webapp.hematology.classes import BY_CODE
from webapp.labs.models import Membership
from webapp.review.models import Decision, Reading
from webapp.review.permissions import may_decide

COUNTED = (Reading.Kind.FIRST, Reading.Kind.SECOND)
"""Kinds of reading that are part of a case's review; what learners do is none of the case's."""


class NotInCase(Exception):
    """A cell is not of the reading's case. Nothing was decided."""


class MayNotDecide(Exception):
    """The member may not decide in this reading. Nothing was decided; the denial is on record."""


class ReviewOver(Exception):
    """The case is signed or void. Nothing was decided."""


@transaction.atomic
def open_reading(case: Case, kind: Reading.Kind, *, reader: User | None, blinded: bool = False) -> Reading:
    """The case's first reading, the reader's second, or another for teaching: the one that is there, or a new
    one, however many open it at once.

    Raises:
        ValueError: a second or teaching reading is nobody's.
    """
    if reader is None and kind != Reading.Kind.FIRST:
        # untranslated: a fault of the caller's
        raise ValueError(f"A {kind} reading has a reader.")
    values = {"lab_id": case.lab_id, "blinded": blinded, "reader": reader}
    if kind == Reading.Kind.TEACHING:
        reading, is_new = Reading.objects.create(case=case, kind=kind, **values), True
    else:
        which = {} if kind == Reading.Kind.FIRST else {"reader": reader}
        reading, is_new = Reading.objects.get_or_create(defaults=values, case=case, kind=kind, **which)
    if not is_new:
        return reading
    record(
        Action.READING_OPENED,
        lab=case.lab_id,
        subject=case.accession,
        subject_id=f"case {case.id}",
        after={"kind": kind.value, "reading": reading.pk},
    )
    return reading


def decide(
    reading: Reading, cells: Collection[int], cell_class: str, *, by: Membership | User, words: str = ""
) -> int:
    """Decide that cells are of a class; returns the reading's revision.

    Args:
        by: a member, who is asked whether they may, or a user of whom the caller knows.
        words: what the person says besides, of all of them.

    Raises:
        MayNotDecide: the member may not.
        ValueError: there is no such class.
        NotInCase: a cell is another case's, or there is none.
        ReviewOver: the case is signed or void.
    """
    if isinstance(by, Membership):
        if not may_decide(by, reading):  # outside the transaction, which would take the record back
            raise MayNotDecide
        by = by.user
    return _decide(reading, cells, cell_class, by, words)


@transaction.atomic
def _decide(reading: Reading, cells: Collection[int], cell_class: str, by: User, words: str) -> int:
    if cell_class not in BY_CODE:
        # untranslated: a fault of the caller's
        raise ValueError(f"There is no class of cells {cell_class!r}.")
    wanted = list(dict.fromkeys(cells))
    if Cell.objects.filter(image__case=reading.case_id, id__in=wanted).count() != len(wanted):
        raise NotInCase
    if not wanted:
        return reading.revision
    reading.case = hold(reading.case)
    if reading.kind in COUNTED:
        _begin_review(reading)
    told = _told_this_minute(reading, by)
    reading.revision = _append(reading, wanted, cell_class, by, words)
    if not told:
        case = reading.case
        record(
            Action.CELLS_DECIDED,
            lab=case.lab_id,
            subject=case.accession,
            subject_id=f"case {case.id}",
            after={"reading": reading.pk, "first": reading.revision - len(wanted) + 1},
        )
    return reading.revision


def _begin_review(reading: Reading) -> None:
    # The lock keeps the case from being signed meanwhile.
    case = Case.objects.select_for_update(no_key=True).get(id=reading.case_id)
    if case.review not in (Review.OPEN, Review.IN_REVIEW):
        raise ReviewOver
    if case.review == Review.OPEN:
        Case.objects.filter(id=case.id).update(review=Review.IN_REVIEW)


def _told_this_minute(reading: Reading, by: User) -> bool:
    """Whether the trail says already that they decide in this reading now: once a minute is enough, for each
    decision is kept by itself."""
    return Decision.objects.filter(reading=reading, by=by, at__gte=TruncMinute(Now())).exists()


def _append(reading: Reading, cells: list[int], cell_class: str, by: User, words: str) -> int:
    """Add the decisions and raise the revision by their number, in one statement; returns the revision."""
    rows = [Decision(lab_id=reading.lab_id, reading=reading) for _ in cells]
    field = Decision._meta.get_field("words")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH raised AS (
                UPDATE review_reading SET revision = revision + %(n)s WHERE id = %(reading)s
                RETURNING revision
            ), added AS (
                INSERT INTO review_decision
                    (id, lab_id, reading_id, number, cell_id, cell_class, words, by_id)
                SELECT decision.id, %(lab)s, %(reading)s, raised.revision - %(n)s + decision.place,
                    decision.cell, %(class)s, decision.words, %(by)s
                FROM raised, unnest(%(ids)s::uuid[], %(cells)s::bigint[], %(words)s::bytea[])
                    WITH ORDINALITY AS decision (id, cell, words, place)
            )
            SELECT revision FROM raised
            """,
            {
                "n": len(cells),
                "reading": reading.pk,
                "lab": reading.lab_id,
                "class": cell_class,
                "by": by.pk,
                "ids": [row.id for row in rows],
                "cells": cells,
                "words": [bytes(field.seal(words, row)) for row in rows],
            },
        )
        (revision,) = cursor.fetchone()
    return int(revision)
