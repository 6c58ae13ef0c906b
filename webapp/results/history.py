"""A patient's earlier signed results beside this one: the trend of each class, and what changed since.

The numbers of a signed result are its document's; nothing of it is counted again. A reader who is blinded to
the case sees other cases' results all the same: they say nothing of its other readings.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.folding import record_shown
from webapp.cases.models import Case
from webapp.crypto.cipher import Unreadable
from webapp.hematology.classes import BY_CODE, REPORT_ORDER
from webapp.hematology.delta import is_marked, relative
from webapp.ranges.models import Quantity
from webapp.results.delta_limits import quantities, that_count
from webapp.results.document import digest_of
from webapp.results.interpretation import Interpretation, Interpreted, interpret
from webapp.results.models import DeltaLimit, Result, Signature
from webapp.review.differentials import differentials
from webapp.review.selectors import counts_of, shown_reading

EARLIER_SHOWN = 8
STANDS = (Result.Status.FINAL, Result.Status.AMENDING)
"""Versions that hold: one that is being amended does until the next is signed."""
HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True)
class Value:
    """One class in one result.

    Attributes:
        percent: of white cells; for what is not among them, the number per 100 of them.
        absolute: in 10^9/L.
    """

    count: int
    percent: Decimal | None
    absolute: Decimal | None
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """One result; `values` by class.

    Attributes:
        at: when the specimen was collected, else received, else the case opened.
        not_told_apart: classes with cells of which nobody said which of their parts they are.
        result: None: of the case as it is read now, which nobody signed.
        problem: why nothing of it can be shown: "unreadable" or "altered".
    """

    case: UUID
    accession: str
    at: datetime
    result: UUID | None = None
    version: int | None = None
    reading: int | None = None
    is_being_amended: bool = False
    white_cells: int | None = None
    wbc: Decimal | None = None
    values: Mapping[str, Value] = field(default_factory=dict)
    not_told_apart: frozenset[str] = frozenset()
    problem: str = ""


@dataclass(frozen=True)
class Change:
    """What became of a value since the result before.

    Attributes:
        percent: of what it was; None: it was nothing.
        marked: the limits of the lab that it reaches.
    """

    quantity: Quantity
    before: Decimal
    now: Decimal
    percent: Decimal | None
    marked: tuple[DeltaLimit, ...]

    @property
    def by(self) -> Decimal:
        return self.now - self.before

    @property
    def size(self) -> Decimal:
        return abs(self.by)


@dataclass(frozen=True)
class Row:
    """One class over all results, oldest first: `values` has one for each column, None where it has none."""

    code: str
    values: tuple[Value | None, ...]
    changes: tuple[Change, ...] = ()

    @property
    def is_marked(self) -> bool:
        return any(change.marked for change in self.changes)


@dataclass(frozen=True)
class History:
    """
    Attributes:
        columns: oldest first; the case itself last, where it has something to show.
        has_now: the last column is the case itself.
        older: where what is older begins; empty where nothing is.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    has_now: bool
    older: str

    @property
    def earlier(self) -> tuple[Column, ...]:
        return self.columns[:-1] if self.has_now else self.columns

    @property
    def last(self) -> Column | None:
        """The result that this one is compared with: the last before it of which something can be shown."""
        return next((one for one in reversed(self.earlier) if not one.problem), None)


@dataclass(frozen=True)
class Place:
    """A result among those of its patient."""

    at: datetime
    result: UUID

    @classmethod
    def read(cls, text: str) -> "Place":
        """As `str` wrote it.

        Raises:
            ValueError: it did not.
        """
        at, _, result = text.partition("_")
        place = cls(datetime.fromisoformat(at), UUID(result))
        if place.at.tzinfo is None:
            raise ValueError(text)
        return place

    def __str__(self) -> str:
        return f"{self.at.isoformat()}_{self.result}"


def shown(case: Case, viewer: User, before: Place | None = None) -> History:
    """The case's history, to be shown to somebody who may see who patients are: it tells that cases are one
    person's. That they saw it is recorded.

    Args:
        before: where what is older begins.
    """
    found = of_case(case, viewer, before)
    seen = {one.case: one.accession for one in found.earlier if not one.problem}
    if seen:
        record_shown(Action.HISTORY_SHOWN, lab=case.lab_id, cases=seen)
    return found


def of_case(case: Case, viewer: User, before: Place | None = None) -> History:
    """The signed results of the case's patient until its specimen, and the case itself. In a constant number
    of queries.

    The case itself is as it was signed; else as the viewer reads it, once something was decided.
    """
    at = taken_at(case)
    rows = earlier(case, at)
    if before:
        rows = rows.filter(Q(at__lt=before.at) | Q(at=before.at, id__lt=before.result))
    found = list(rows[: EARLIER_SHOWN + 1])
    kept = found[:EARLIER_SHOWN]
    older = str(Place(kept[-1].at, kept[-1].id)) if len(found) > EARLIER_SHOWN else ""
    columns = sorted(map(_column, kept), key=lambda one: one.at)
    now = None if before else _now(case, viewer, at)
    if now:
        columns.append(now)
    return History(
        columns=tuple(columns),
        rows=tuple(_rows(columns, has_now=now is not None, limits=that_count(case.lab_id))),
        has_now=now is not None,
        older=older,
    )


def earlier(case: Case, at: datetime) -> "QuerySet[Any]":
    """The results that hold of the patient's other cases, of specimens until `at`, latest first."""
    if case.patient_id is None:
        return Result.objects.none()
    found = _that_hold().filter(case__patient=case.patient_id, at__lte=at).exclude(case=case.id)
    return found.order_by("-at", "-id")


def taken_at(case: Case) -> datetime:
    """When the specimen was taken, as far as it is known."""
    at: datetime = Case.objects.filter(id=case.id).values_list(
        Coalesce("specimen__collected_at", "specimen__received_at", "created_at"), flat=True
    )[0]
    return at


def _that_hold() -> "QuerySet[Any]":
    """Those with all signatures, and no version after them; of no case that is void."""
    authorised = Signature.objects.filter(result=OuterRef("id"), meaning=Signature.Meaning.AUTHORISED)
    at = Coalesce("case__specimen__collected_at", "case__specimen__received_at", "case__created_at")
    found = Result.objects.filter(Exists(authorised), status__in=STANDS).annotate(at=at)
    return found.select_related("case__patient__key")


def _column(result: Any) -> Column:
    case = result.case
    known: dict[str, Any] = {
        "case": case.id,
        "accession": case.accession,
        "result": result.id,
        "version": result.version,
        "reading": result.reading_id,
        "is_being_amended": result.status == Result.Status.AMENDING,
    }
    at = result.at
    try:
        text = result.document
    except Unreadable:
        return Column(at=at, problem="unreadable", **known)
    if digest_of(text) != bytes(result.sha256):
        return Column(at=at, problem="altered", **known)
    document = json.loads(text)
    specimen = document["specimen"]
    signed = specimen.get("collected_at") or specimen.get("received_at")
    return Column(
        at=datetime.fromisoformat(signed) if signed else at,
        white_cells=document["cells"]["white_cells"],
        wbc=_decimal(document["white_cells"]["used"]),
        values=_of_document(document["rows"]),
        not_told_apart=frozenset(
            row["class"] for row in document["rows"] if row["count"] and not row["parts"]
        ),
        **known,
    )


def _of_document(rows: Iterable[Mapping[str, Any]]) -> dict[str, Value]:
    """By class; of one with parts the total, for in other results nobody told them apart."""
    found: dict[str, Value] = {}
    for row in rows:
        if row["class"] in found and not row["parts"]:
            continue
        found[row["class"]] = Value(
            count=row["count"],
            percent=_decimal(row["percent"]),
            absolute=_decimal(row["absolute"]),
            flags=tuple(row["flags"]),
        )
    return found


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _now(case: Case, viewer: User, at: datetime) -> Column | None:
    """The case itself: as it was signed, else as the viewer reads it; None: nobody decided anything."""
    signed = _that_hold().filter(case=case.id, status=Result.Status.FINAL).first()
    if signed:
        return _column(signed)
    reading = shown_reading(case, viewer)
    if reading is None:
        return None
    counts = counts_of(case, reading)
    if not counts.reviewed:
        return None
    found = interpret(case, differentials(counts, case.lab).reviewed)
    return Column(
        case=case.id,
        accession=case.accession,
        at=at,
        reading=reading.pk,
        white_cells=found.differential.wbc_count,
        wbc=found.wbc,
        values=_of_interpretation(found),
        not_told_apart=frozenset(row.code for row in found.rows if row.row.count and not row.parts),
    )


def _of_interpretation(found: Interpretation) -> dict[str, Value]:
    values = {}
    for row in found.rows:
        if row.code not in values or row.parts:
            values[row.code] = _value(row)
    return values


def _value(one: Interpreted) -> Value:
    percent = one.row.percent
    return Value(
        count=one.row.count,
        percent=None if percent is None else Decimal(f"{percent:.2f}"),
        absolute=one.absolute,
        flags=tuple(str(flag) for flag in one.flags),
    )


def _rows(columns: Sequence[Column], *, has_now: bool, limits: Sequence[DeltaLimit]) -> Iterable[Row]:
    """The classes of which any result has cells, in the order of reports."""
    told = {code for one in columns for code, value in one.values.items() if value.count}
    before = next((one for one in reversed(columns[:-1]) if not one.problem), None) if has_now else None
    for code in REPORT_ORDER:
        if code in told:
            values = tuple(one.values.get(code) for one in columns)
            changes = _changes(code, before, columns[-1], limits) if before else ()
            yield Row(code, values, changes)


def _changes(code: str, before: Column, now: Column, limits: Iterable[DeltaLimit]) -> tuple[Change, ...]:
    """By quantity, in whatever both results have a value. A class that was not told apart in one of them
    has none there."""
    apart = now.at - before.at
    if BY_CODE[code].rolls_up_to in before.not_told_apart | now.not_told_apart:
        return ()
    found = []
    for quantity in quantities(code):
        was, is_ = (_of(one.values.get(code), quantity) for one in (before, now))
        if was is None or is_ is None:
            continue
        share = relative(was, is_)
        marked = tuple(
            limit
            for limit in limits
            if (limit.cell_class, limit.quantity) == (code, quantity)
            and is_marked(was, is_, max(apart, timedelta()), limit.expected)
        )
        percent = None if share is None else share.quantize(HUNDREDTH)
        found.append(Change(quantity, was, is_, percent, marked))
    return tuple(found)


def _of(value: Value | None, quantity: Quantity) -> Decimal | None:
    if value is None:
        return None
    return value.absolute if quantity == Quantity.ABSOLUTE else value.percent
