"""Ranges are proposed, approved and retired. Whoever calls has checked that the person may."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.hematology.coverage import faults
from webapp.labs.models import Lab
from webapp.outbox.events import RangesChanged, publish
from webapp.ranges.models import ReferenceRange
from webapp.ranges.selectors import proposed, valid_now
from webapp.ranges.values import Values
from webapp.ranges.wording import fault, group

MOST_PROPOSED = 2000
Group = tuple[str, str]


class NotWhole(Exception):
    """Some age would have no range, or more than one. Nothing was changed."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return " ".join(self.problems)


class NotProposed(Exception):
    """Some of the rows are proposed no more: somebody approved them or took them back."""

    def __str__(self) -> str:
        return _("Some of these rows are proposed no more. Nothing was changed. Look again.")


class TooMany(Exception):
    """More is proposed than anybody reads."""

    def __str__(self) -> str:
        text = _("At most %(n)s rows can be proposed at a time. Approve some, or take them back.")
        return text % {"n": MOST_PROPOSED}


@transaction.atomic
def propose(lab: Lab, rows: Iterable[Values], *, by: User) -> list[ReferenceRange]:
    """Propose ranges, which count for nothing. Those that are proposed already, or count, are left out.

    Raises:
        TooMany: then nothing was proposed.
    """
    lock(lab.id)
    waiting = [Values.of(row) for row in proposed(lab.id)]
    there = {*waiting, *(Values.of(row) for row in valid_now(lab.id))}
    new = [row for row in dict.fromkeys(rows) if row not in there]
    if len(waiting) + len(new) > MOST_PROPOSED:
        raise TooMany
    made = ReferenceRange.objects.bulk_create(
        [ReferenceRange(lab=lab, proposed_by=by, **vars(row)) for row in new]
    )
    if made:
        _record(Action.RANGES_PROPOSED, lab, made)
    return made


@transaction.atomic
def approve(lab: Lab, ids: Collection[int], *, by: User) -> list[ReferenceRange]:
    """Have proposed ranges count from now on. Those that they take the place of are retired.

    Raises:
        NotProposed, NotWhole: nothing was approved.
    """
    lock(lab.id)
    rows = list(proposed(lab.id).filter(id__in=ids))
    if not rows or len(rows) != len(set(ids)):
        raise NotProposed
    by_group = _by_group(rows)
    current = [row for row in valid_now(lab.id) if _group(row) in by_group]
    retired = [row for row in current if any(row.span.meets(new.span) for new in by_group[_group(row)])]
    _check([*rows, *(row for row in current if row not in retired)])
    now = _now()
    _retire(retired, by, now)
    ReferenceRange.objects.filter(id__in=[row.pk for row in rows]).update(
        approved_by=by, approved_at=now, valid_from=now
    )
    _record(Action.RANGES_APPROVED, lab, rows, retired=[row.pk for row in retired])
    publish(RangesChanged(lab.id))
    return rows


@transaction.atomic
def retire(lab: Lab, cell_class: str, quantity: str, *, by: User) -> list[ReferenceRange]:
    """Have no range for a class in a quantity any more, from now on; returns what counted until now."""
    lock(lab.id)
    rows = list(valid_now(lab.id).filter(cell_class=cell_class, quantity=quantity))
    if rows:
        _retire(rows, by, _now())
        _record(Action.RANGES_RETIRED, lab, rows)
        publish(RangesChanged(lab.id))
    return rows


@transaction.atomic
def withdraw(lab: Lab, ids: Collection[int]) -> None:
    """Take back proposed ranges.

    Raises:
        NotProposed: nothing was taken back.
    """
    lock(lab.id)
    rows = list(proposed(lab.id).filter(id__in=ids))
    if not rows or len(rows) != len(set(ids)):
        raise NotProposed
    _record(Action.RANGES_WITHDRAWN, lab, rows)
    proposed(lab.id).filter(id__in=[row.pk for row in rows]).delete()


@transaction.atomic
def set_correction(lab: Lab, nrbc_correction_from: int) -> None:
    """Set from how many erythroblasts per 100 white cells on they are taken off an analyser's count."""
    current = Lab.objects.select_for_update(no_key=True).get(id=lab.id)
    wanted, before = nrbc_correction_from, current.nrbc_correction_from
    if wanted == before:
        return
    Lab.objects.filter(id=lab.id).update(nrbc_correction_from=wanted)
    record(
        Action.NRBC_CORRECTION_SET,
        lab=lab.id,
        subject=lab.name,
        before={"nrbc_correction_from": before},
        after={"nrbc_correction_from": wanted},
    )
    publish(RangesChanged(lab.id))


def lock(lab_id: UUID) -> None:
    """Let nobody else change the lab's ranges until the transaction ends. The trigger takes the same lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('ranges ' || %s, 0))", [str(lab_id)])


def _retire(rows: Collection[ReferenceRange], by: User, at: datetime) -> None:
    found = ReferenceRange.objects.filter(id__in=[row.pk for row in rows])
    found.update(valid_to=at, retired_by=by)


def _now() -> datetime:
    """By the database's clock, for there are several webs; of those who have the lock, never backwards."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    found: datetime = now
    return found


def _check(rows: Iterable[ReferenceRange]) -> None:
    problems = [
        fault(group(*key), found)
        for key, of_it in sorted(_by_group(rows).items())
        for found in faults(row.span for row in of_it)
    ]
    if problems:
        raise NotWhole(problems)


def _group(row: ReferenceRange) -> Group:
    return row.cell_class, row.quantity


def _by_group(rows: Iterable[ReferenceRange]) -> dict[Group, list[ReferenceRange]]:
    found = defaultdict[Group, list[ReferenceRange]](list)
    for row in rows:
        found[_group(row)].append(row)
    return found


def _record(action: Action, lab: Lab, rows: Sequence[ReferenceRange], *, retired: Sequence[int] = ()) -> None:
    after: dict[str, object] = {
        "ranges": len(rows),
        "ids": [row.pk for row in rows],
        "classes": sorted({row.cell_class for row in rows}),
    }
    if retired:
        after["retired"] = list(retired)
    record(action, lab=lab.id, subject=lab.name, after=after)
