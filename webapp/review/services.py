"""Readings are opened, and decisions added to them. Whoever calls has checked that the person may.

Decisions come by gestures: what a person did at once. A gesture is decided whole or not at all, but for cells
that somebody else decided meanwhile: these stay as they are.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, connection, transaction
from django.db.models import FilteredRelation, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now, TruncMinute
from django.dispatch import Signal
from django.utils.translation import gettext as _

from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.cases.closing import ReviewOver, check_under_way
from webapp.cases.models import Case, Cell, Review
from webapp.cases.services import hold
from webapp.crypto.cipher import Unreadable, seal
from webapp.hematology.classes import BY_CODE
from webapp.labs.models import Lab
from webapp.patients.services import PatientErased
from webapp.review.models import Decision, Gesture, Reading, SecondReader
from webapp.review.selectors import decided_in_first, is_blinded

COUNTED = (Reading.Kind.FIRST, Reading.Kind.SECOND)
"""Kinds of reading that are part of a case's review; what learners do is none of the case's."""
CELLS_AT_ONCE = 1000
WORDS_LENGTH = 200


decided = Signal()
"""Cells of a `reading` were decided, or taken back. Sent in the transaction that writes it, the case held."""


class GestureDiffers(Exception):
    """The gesture's id is that of another. Nothing was decided."""

    def __str__(self) -> str:
        return _(
            "A gesture with this id asked for something else. Nothing was decided; give each its own id."
        )


class SeenAlready(Exception):
    """Who decided in the first reading of a case cannot read it blinded."""

    def __str__(self) -> str:
        return _(
            "You decided in the first reading of this case, so you cannot read it without having seen that."
        )


class ReadsBlinded(Exception):
    """Until a case is signed, who reads it blinded opens no other reading of it, and learns of none."""


class NoSuggestion(Exception):
    """There is nothing to confirm of some cells. Nothing was decided."""

    def __init__(self, cells: Collection[int]) -> None:
        super().__init__(cells)
        self.cells = cells

    def __str__(self) -> str:
        return _("The model has said nothing of some of these cells, so there is nothing to confirm.")


class InvalidGesture(ValueError):
    """Nothing of it can be done. Nothing was decided."""


class InvalidCells(InvalidGesture):
    """Of some cells it cannot be done."""

    def __init__(self, cells: Collection[int]) -> None:
        super().__init__(cells)
        self.cells = cells


class NotInCase(InvalidCells):
    """They are another case's, or there are none."""


class UnknownClass(InvalidCells):
    """There is no such class."""


class ClassNotUsed(InvalidCells):
    """The lab does not use the class."""


class NotReached(InvalidGesture):
    """It knows of a revision that the reading has not reached."""


class NoGesture(InvalidGesture):
    """What is to be undone is no gesture of this person in this reading."""


@dataclass(frozen=True)
class Sent:
    """How a gesture came.

    Attributes:
        id: its client's; sent again, it is known by that.
        client: the page or program that it comes from.
        base_revision: the reading's, as its client knows it.
    """

    base_revision: int
    client: UUID = field(default_factory=uuid4)
    id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, repr=False)
class Choice:
    """What somebody says of a cell. It has no `repr`, for the words may name somebody."""

    cell: int
    cell_class: str
    words: str = ""


@dataclass(frozen=True, repr=False)
class _Made:
    """A decision to be added; without a class it is what is suggested when it is added."""

    cell: int
    cell_class: str | None
    words: str = ""
    confirmed: bool = False
    reinstates: int | None = None


@dataclass(frozen=True)
class _Now:
    """How a cell of the reading is at this moment."""

    number: int
    stands_for: int
    client: UUID | None
    suggested: str | None


@dataclass(frozen=True)
class Outcome:
    """What became of a gesture.

    Attributes:
        gesture: as it is kept.
        cells: that it was about, in the order asked for.
    """

    gesture: Gesture
    cells: tuple[int, ...]


@transaction.atomic
def open_reading(case: Case, kind: Reading.Kind, *, reader: User | None, blinded: bool = False) -> Reading:
    """The case's first reading, the reader's second, or another for teaching: the one that is there, or a new
    one, however many open it at once.

    Raises:
        ValueError: a second or teaching reading is nobody's.
        ReviewOver: there is none, and the case is signed or void.
        SeenAlready: it would be blinded, and its reader decided in the first.
        ReadsBlinded: it is the first, and whoever asks reads the case blinded.
    """
    if reader is None and kind != Reading.Kind.FIRST:
        # untranslated: a fault of the caller's
        raise ValueError(f"A {kind} reading has a reader.")
    # Whether there is a first one or not: their answer is the same.
    if kind == Reading.Kind.FIRST and reader is not None and is_blinded(case, reader):
        raise ReadsBlinded
    values = {"lab_id": case.lab_id, "blinded": blinded, "reader": reader}
    if kind == Reading.Kind.TEACHING:
        reading, reading_is_new = Reading.objects.create(case=case, kind=kind, **values), True
    else:
        which = {} if kind == Reading.Kind.FIRST else {"reader": reader}
        reading, reading_is_new = Reading.objects.get_or_create(
            defaults=values, case=case, kind=kind, **which
        )
    reading.is_new = reading_is_new
    if not reading.is_new:
        return reading
    if kind in COUNTED:
        check_under_way(hold(case).id)
    if blinded and reader is not None and decided_in_first(case, reader):
        raise SeenAlready
    if kind == Reading.Kind.SECOND:
        asked = SecondReader.objects.filter(Q(asked=None) | Q(asked=reader), case=case, reading=None)
        if reader is not None and not asked.filter(withdrawn_at=None).update(reading=reading):
            SecondReader.objects.create(
                lab_id=case.lab_id, case=case, asked=reader, asked_by=reader, reading=reading
            )
    record(
        Action.READING_OPENED,
        lab=case.lab_id,
        subject=case.accession,
        subject_id=f"case {case.id}",
        after={"kind": kind.value, "reading": reading.pk},
    )
    return reading


def check_classes(lab: Lab, classes: Mapping[int, str]) -> None:
    """Raise UnknownClass or ClassNotUsed where a cell is said to be what the lab has no word for."""
    if unknown := [cell for cell, code in classes.items() if code not in BY_CODE]:
        raise UnknownClass(unknown)
    used = {one.code for one in lab.cell_classes}
    if unused := [cell for cell, code in classes.items() if code not in used]:
        raise ClassNotUsed(unused)


def decide(reading: Reading, choices: Sequence[Choice], *, by: User, sent: Sent) -> Outcome:
    """Decide of what class cells are.

    A cell that another client decided since `sent.base_revision` stays as it is: it comes back in
    `selectors.conflicts_of`.

    Raises:
        UnknownClass, ClassNotUsed, NotInCase, NotReached: nothing of it can be done.
        GestureDiffers, ReviewOver, PatientErased: see there.
    """
    wanted = {choice.cell: choice for choice in choices}
    check_classes(reading.lab, {cell: choice.cell_class for cell, choice in wanted.items()})

    def made(now: Mapping[int, _Now]) -> list[_Made]:
        return [
            _Made(cell, choice.cell_class, choice.words)
            for cell, choice in wanted.items()
            if not _is_conflict(now[cell], sent)
        ]

    body = [[cell, choice.cell_class] for cell, choice in wanted.items()]
    words = {cell: choice.words for cell, choice in wanted.items()}
    return _do(reading, by, sent, body, made, cells=[*wanted], words=words)


def confirm(
    reading: Reading, cells: Sequence[int], *, by: User, sent: Sent, seen: Sequence[str] = ()
) -> Outcome:
    """Agree with what is suggested of cells, flagged or not.

    Args:
        seen: the class that the person saw suggested of each, where the client says so. A cell of which
            something else is suggested by now stays as it is, as one does that another client decided.

    Raises:
        NoSuggestion: the model has said nothing of a cell.
        Others: as for `decide`.
    """
    wanted: dict[int, str | None] = dict(
        zip(cells, seen, strict=True) if seen else ((cell, None) for cell in cells)
    )

    def made(now: Mapping[int, _Now]) -> list[_Made]:
        if nothing := [cell for cell in wanted if now[cell].suggested is None]:
            raise NoSuggestion(nothing)
        return [
            _Made(cell, None, confirmed=True)
            for cell, expected in wanted.items()
            if not _is_conflict(now[cell], sent) and expected in (None, now[cell].suggested)
        ]

    return _do(reading, by, sent, ["confirm", [*wanted.items()]], made, cells=[*wanted])


def undo(reading: Reading, undone: UUID, *, by: User, sent: Sent) -> Outcome:
    """Give each cell of one of the person's gestures what it was before it; undoing that does it again.

    A cell that was decided since by another gesture stays as it is.

    Raises:
        NoGesture: it is no gesture of theirs in this reading.
        Others: as for `decide`.
    """
    target = Gesture.objects.filter(id=undone, reading=reading, by=by).first()
    if target is None:
        raise NoGesture
    its_own = list(decisions_of(target).values_list("cell_id", "number", "reinstates", "before"))
    before = Decision.objects.select_related("reading__case__patient__key").in_bulk(
        [decision for *_, decision in its_own if decision]
    )

    def made(now: Mapping[int, _Now]) -> list[_Made]:
        return [
            _again(cell, before.get(decision))
            for cell, number, reinstates, decision in its_own
            if now[cell].stands_for == (number if reinstates is None else reinstates)
        ]

    cells = [cell for cell, *_ in its_own]
    return _do(reading, by, sent, ["undo", str(undone)], made, cells=cells, undoes=target)


def decisions_of(gesture: Gesture) -> QuerySet[Any]:
    """The decisions that came with a gesture, in their order; `before` is the id of the one that each cell
    had before it."""
    earlier = Decision.objects.filter(
        reading=OuterRef("reading"), cell=OuterRef("cell"), number__lt=OuterRef("number")
    )
    numbers = {"number__gt": gesture.revision - gesture.n, "number__lte": gesture.revision}
    found = Decision.objects.filter(reading=gesture.reading_id, **numbers).order_by("number")
    return found.annotate(before=Subquery(earlier.order_by("-number").values("id")[:1]))


def _again(cell: int, before: Decision | None) -> _Made:
    if before is None or not before.cell_class:
        return _Made(cell, "", reinstates=0)
    words = ""
    with suppress(Unreadable):
        words = before.words
    number = before.number if before.reinstates is None else before.reinstates
    return _Made(cell, before.cell_class, words, before.confirmed, number)


def _is_conflict(now: _Now, sent: Sent) -> bool:
    return now.number > sent.base_revision and now.client != sent.client


@contextmanager
def _whole() -> Iterator[None]:
    """A transaction in which a gesture's id that is taken at the same moment is that of another gesture."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "review_gesture_pkey" not in str(error):
            raise
        raise GestureDiffers from error


@_whole()
def _do(
    reading: Reading,
    by: User,
    sent: Sent,
    body: object,
    made: Callable[[Mapping[int, _Now]], list[_Made]],
    *,
    cells: list[int],
    words: Mapping[int, str] | None = None,
    undoes: Gesture | None = None,
) -> Outcome:
    reading.case = hold(reading.case)  # who decides in a case waits for who did: what follows is as it is now
    reading.revision = Reading.objects.values_list("revision", flat=True).get(id=reading.pk)
    digest = sha256(json.dumps(body).encode()).digest()
    known = Gesture._base_manager.filter(id=sent.id).first()
    if known:
        _check_same(known, reading, by, digest, words or {})
        return Outcome(known, tuple(cells))
    if sent.base_revision > reading.revision:
        raise NotReached
    if reading.is_over:
        raise ReviewOver
    now = _cells_now(reading, cells)
    if missing := [cell for cell in cells if cell not in now]:
        raise NotInCase(missing)
    to_add = made(now)
    if to_add and reading.kind in COUNTED and reading.case.review == Review.OPEN:
        Case.objects.filter(id=reading.case_id).update(review=Review.IN_REVIEW)
    told = _told_this_minute(reading, by)
    gesture = Gesture(
        id=sent.id,
        lab_id=reading.lab_id,
        reading=reading,
        by=by,
        client=sent.client,
        kind=Gesture.Kind.UNDO if undoes else Gesture.Kind.DECIDE,
        undoes=undoes,
        body_sha256=digest,
        n=len(to_add),
    )
    gesture.revision = reading.revision = _append(reading, gesture, to_add)
    if to_add and not told:
        case = reading.case
        record(
            Action.CELLS_DECIDED,
            lab=case.lab_id,
            subject=case.accession,
            subject_id=f"case {case.id}",
            after={"reading": reading.pk, "first": reading.revision - len(to_add) + 1},
        )
    if to_add:
        decided.send(Reading, reading=reading)
    return Outcome(gesture, tuple(cells))


def _check_same(known: Gesture, reading: Reading, by: User, digest: bytes, words: Mapping[int, str]) -> None:
    """Raise GestureDiffers where what is known by the id is another gesture.

    Words are in no digest: whoever has the database could try out which they are, even of an erased patient.
    """
    if (known.reading_id, known.by_id, bytes(known.body_sha256)) != (reading.pk, by.pk, digest):
        raise GestureDiffers
    if any(words.values()):
        kept = Decision.objects.filter(gesture=known).select_related("reading__case__patient__key")
        for decision in kept:
            with suppress(Unreadable):
                if decision.words != words[decision.cell_id]:
                    raise GestureDiffers


def _cells_now(reading: Reading, cells: Collection[int]) -> dict[int, _Now]:
    """How those of `cells` are that are in the reading's case."""
    state = FilteredRelation("states", condition=Q(states__reading=reading.pk))
    prediction = FilteredRelation("predictions", condition=Q(predictions__current=True))
    rows = (
        Cell.objects.filter(image__case=reading.case_id, id__in=cells)
        .annotate(state=state, prediction=prediction)
        .values_list(
            "id",
            "state__number",
            "state__stands_for",
            "state__gesture__client",
            "prediction__cell_class",
        )
    )
    return {
        cell: _Now(number or 0, stands_for or 0, client, suggested)
        for cell, number, stands_for, client, suggested in rows
    }


def _told_this_minute(reading: Reading, by: User) -> bool:
    """Whether the trail says already that they decide in this reading now: once a minute is enough, for each
    decision is kept by itself."""
    return Gesture.objects.filter(reading=reading, by=by, n__gt=0, at__gte=TruncMinute(Now())).exists()


def _append(reading: Reading, gesture: Gesture, made: list[_Made]) -> int:
    """Add the gesture and its decisions, each with what is suggested at this moment, and raise the revision
    by their number, in one statement; returns the revision.

    Raises:
        PatientErased: there are words, and nothing can be written of the patient any more.
    """
    rows = [Decision(lab_id=reading.lab_id, reading=reading) for _one in made]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH raised AS (
                UPDATE review_reading SET revision = revision + %(n)s WHERE id = %(reading)s
                RETURNING revision
            ), gesture AS (
                INSERT INTO review_gesture
                    (id, lab_id, reading_id, by_id, client, kind, undoes_id, body_sha256, revision, n)
                SELECT %(gesture)s, %(lab)s, %(reading)s, %(by)s, %(client)s, %(kind)s, %(undoes)s, %(body)s,
                    raised.revision, %(n)s
                FROM raised
            ), added AS (
                INSERT INTO review_decision
                    (id, lab_id, reading_id, number, cell_id, cell_class, words, by_id, gesture_id, confirmed,
                    reinstates, suggested_class, suggested_confidence, suggested_flagged, model_version_id)
                SELECT made.id, %(lab)s, %(reading)s, raised.revision - %(n)s + made.place, made.cell,
                    coalesce(made.class, suggested.cell_class), made.words, %(by)s, %(gesture)s,
                    made.confirmed, made.reinstates, coalesce(suggested.cell_class, ''), suggested.confidence,
                    suggested.flagged, suggested.model_version_id
                FROM raised, unnest(
                    %(ids)s::uuid[], %(cells)s::bigint[], %(classes)s::text[], %(words)s::bytea[],
                    %(confirmed)s::bool[], %(reinstates)s::int[]
                ) WITH ORDINALITY AS made (id, cell, class, words, confirmed, reinstates, place)
                LEFT JOIN inference_prediction AS suggested
                    ON suggested.cell_id = made.cell AND suggested.current
            )
            SELECT revision FROM raised
            """,
            {
                "n": len(made),
                "reading": reading.pk,
                "lab": reading.lab_id,
                "by": gesture.by_id,
                "gesture": gesture.id,
                "client": gesture.client,
                "kind": gesture.kind,
                "undoes": gesture.undoes_id,
                "body": bytes(gesture.body_sha256),
                "ids": [row.id for row in rows],
                "cells": [one.cell for one in made],
                "classes": [one.cell_class for one in made],
                "words": _sealed(reading, rows, [one.words for one in made]),
                "confirmed": [one.confirmed for one in made],
                "reinstates": [one.reinstates for one in made],
            },
        )
        (revision,) = cursor.fetchone()
    return int(revision)


def _sealed(reading: Reading, rows: list[Decision], words: list[str]) -> list[bytes]:
    field_ = Decision._meta.get_field("words")
    patient = reading.case.patient
    if patient is None or patient.erased_at is None:
        return [bytes(field_.seal(text, row)) for text, row in zip(words, rows, strict=True)]
    if any(words):
        raise PatientErased
    return [bytes(seal("", field_.place(row))) for row in rows]
