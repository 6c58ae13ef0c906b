"""Gestures on a real database: what is kept of them, and two who decide at once."""

import random
import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django_scopes import scope

from tests.support.data_keys import key
from tests.support.pages import add_cells, cell_of
from tests.support.people import person
from webapp.cases.closing import ReviewOver
from webapp.cases.models import Case, Review
from webapp.cases.services import change_identifiers, hold
from webapp.crypto.rotation import rotate, stale_rows
from webapp.labs.permissions import Role
from webapp.review.cells import applied, changes, conflicts
from webapp.review.models import CellState, Decision, Gesture, Reading
from webapp.review.selectors import counts_of
from webapp.review.services import (
    Choice,
    GestureDiffers,
    Sent,
    confirm,
    decide,
    open_reading,
    undo,
)

pytestmark = pytest.mark.usefixtures("fresh_rates", "plain_static")
CLASSES = ("basophil", "blast", "lymphocyte", "monocyte", "other", "not_classed")


def cells_in(alice, case, n):
    return [cell_of(image).id for image in add_cells(alice, case, "neutrophil", *[0.9] * n)]


def by_the_log(reading):
    """The last decision of each cell, as the log alone has it."""
    last = {}
    for row in Decision.objects.filter(reading=reading).order_by("number"):
        stands_for = row.number if row.reinstates is None else row.reinstates
        last[row.cell_id] = (row.number, stands_for, row.cell_class, row.by_id, row.gesture_id)
    return last


def by_the_states(reading):
    rows = CellState.objects.filter(reading=reading)
    return {
        cell: rest
        for cell, *rest_ in rows.values_list("cell", "number", "stands_for", "cell_class", "by", "gesture")
        for rest in [tuple(rest_)]
    }


def test_the_last_decisions_are_those_of_the_log_whatever_people_do(alice, case, reading, user):
    """Of hundreds of gestures at random: decided, confirmed, undone, done again, some of them too late."""
    rng, cells = random.Random(11), cells_in(alice, case, 12)
    clients = [uuid.uuid4() for _ in range(3)]
    gestures: list[uuid.UUID] = []
    for _ in range(150):
        sent = Sent(base_revision=rng.randrange(reading.revision + 1), client=rng.choice(clients))
        some = rng.sample(cells, rng.randrange(1, 6))
        deed = rng.random()
        if deed < 0.5 or not gestures:
            decide(reading, [Choice(cell, rng.choice(CLASSES)) for cell in some], by=user, sent=sent)
        elif deed < 0.7:
            confirm(reading, some, by=user, sent=sent)
        else:
            undo(reading, rng.choice(gestures), by=user, sent=sent)
        gestures.append(sent.id)
    assert by_the_states(reading) == by_the_log(reading)
    numbers = [*Decision.objects.order_by("number").values_list("number", flat=True)]
    assert numbers == [*range(1, reading.revision + 1)]
    counted = Counter(code for _, _, code, _, _ in by_the_log(reading).values() if code)
    assert counts_of(case, reading).reviewed == counted
    for gesture in Gesture.objects.all():
        assert gesture.n == gesture.decisions.count() == len(applied(gesture))


def test_what_was_written_without_a_gesture_counts_too(alice, case, reading, user):
    """As the release before writes, beside which this one may run, and as older rows are."""
    cells = cells_in(alice, case, 2)
    with connection.cursor() as cursor:
        for number, code in ((1, "monocyte"), (2, "basophil")):
            cursor.execute(
                "WITH raised AS (UPDATE review_reading SET revision = revision + 1) "
                "INSERT INTO review_decision "
                "(id, lab_id, reading_id, number, cell_id, cell_class, words, by_id) "
                "VALUES (gen_random_uuid(), %s, %s, %s, %s, %s, '', %s)",
                [reading.lab_id, reading.id, number, cells[0], code, user.id],
            )
    assert by_the_states(reading) == by_the_log(reading)
    outcome = decide(reading, [Choice(cell, "blast") for cell in cells], by=user, sent=Sent(base_revision=0))
    assert [cell for cell, *_ in applied(outcome.gesture)] == cells[1:]
    (found,) = conflicts(reading, cells[:1])
    assert (found.cell_class, found.by, found.number) == ("basophil", user.id, 2)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE review_gesture SET kind = 'undo'",
        "UPDATE review_gesture SET n = n",
        "DELETE FROM review_gesture",
        "SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE review_gesture CASCADE",
        "UPDATE review_decision SET confirmed = true",
        "UPDATE review_decision SET suggested_class = 'blast'",
        "UPDATE review_decision SET suggested_confidence = 1",
        "UPDATE review_decision SET suggested_flagged = true",
        "UPDATE review_decision SET model_version_id = NULL",
        "UPDATE review_decision SET gesture_id = NULL",
        "UPDATE review_decision SET reinstates = 0",
    ],
)
def test_the_database_lets_nobody_change_a_gesture_or_what_was_suggested(
    alice, case, reading, user, statement
):
    confirm(reading, cells_in(alice, case, 2), by=user, sent=Sent(base_revision=0))
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_every_column_of_a_decision_but_its_words_is_kept_from_change(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_trigger JOIN pg_attribute ON attrelid = tgrelid AND attnum = ANY(tgattr) "
            "WHERE tgname = 'append_only' AND tgrelid = 'review_decision'::regclass"
        )
        kept = {name for (name,) in cursor.fetchall()}
    assert kept == {field.column for field in Decision._meta.concrete_fields} - {"words"}


def test_words_that_an_undo_brings_back_are_sealed_and_go_with_the_rest(alice, case, reading, user, settings):
    old, new = key("2025-01-31", 1), key("2026-01-31", 2)
    settings.DATA_KEYS, settings.DATA_KEYS_FILE = old, None
    (cell,) = cells_in(alice, case, 1)
    decide(reading, [Choice(cell, "other", "vacuoles")], by=user, sent=Sent(base_revision=0))
    later = Sent(base_revision=1)
    decide(reading, [Choice(cell, "blast")], by=user, sent=later)
    undo(reading, later.id, by=user, sent=Sent(base_revision=2))
    settings.DATA_KEYS = f"{new},{old}"
    assert stale_rows() == 3
    list(rotate())
    settings.DATA_KEYS = new
    assert stale_rows() == 0
    assert [row.words for row in Decision.objects.order_by("number")] == ["vacuoles", "", "vacuoles"]
    change_identifiers(case, {"name": "Ada Lovelace", "mrn": "1"})
    assert [row.words for row in Decision.objects.order_by("number")] == ["vacuoles", "", "vacuoles"]


# --- at once --------------------------------------------------------------------------------------


def at_once(*works):
    """Each in a thread with a connection of its own; what they return."""

    def done(work):
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(done, works))


@pytest.mark.django_db(transaction=True)
def test_two_clients_and_two_hundred_conflicting_gestures_lose_nothing(alice):
    """Each decides the same cells again and again, asked where somebody was faster, as a page asks."""
    with scope(lab=alice.lab):
        case = alice.case()
        reading = open_reading(case, Reading.Kind.FIRST, reader=None)
        cells = cells_in(alice, case, 8)
    people = [person(alice.lab, name, Role.PATHOLOGIST).membership.user for name in ("Olga", "Omar")]
    ready = threading.Barrier(2)

    def work(user, seed):
        rng, client, known, sent_ = random.Random(seed), uuid.uuid4(), 0, []
        shown = dict.fromkeys(cells)
        with scope(lab=alice.lab):
            mine = Reading.objects.select_related("case__lab", "lab").get()
            ready.wait()
            for _ in range(100):
                wanted = [Choice(cell, rng.choice(CLASSES)) for cell in rng.sample(cells, 3)]
                sent = Sent(base_revision=known, client=client)
                outcome = decide(mine, wanted, by=user, sent=sent)
                told = applied(outcome.gesture)
                late = conflicts(mine, {one.cell for one in wanted} - {cell for cell, *_ in told})
                sent_.append((sent.id, {one.cell: one.cell_class for one in wanted}, told, late))
                for change in changes(mine, known):
                    shown[change.cell] = change.cell_class
                known = mine.revision
            ready.wait()  # both are done: what is left is what the other did last
            for change in changes(mine, known):
                shown[change.cell] = change.cell_class
        return sent_, shown

    (first, seen_by_one), (second, seen_by_other) = at_once(
        *[lambda user=user, seed=seed: work(user, seed) for seed, user in enumerate(people)]
    )
    with scope(lab=alice.lab):
        reading.refresh_from_db()
        states = by_the_states(reading)
        assert states == by_the_log(reading)
        assert seen_by_one == seen_by_other == {cell: states[cell][2] for cell in cells}
        assert Gesture.objects.count() == 200
        logged = Counter(Decision.objects.values_list("gesture", "cell", "cell_class"))
        assert max(logged.values()) == 1
        decided = late = 0
        for gesture, wanted, told, behind in (*first, *second):
            # Each cell was decided as it was wanted, or came back as somebody else had decided it.
            assert {cell for cell, *_ in told} | {one.cell for one in behind} == set(wanted)
            assert not {cell for cell, *_ in told} & {one.cell for one in behind}
            assert all(wanted[cell] == code and logged[gesture, cell, code] for cell, code, _ in told)
            decided, late = decided + len(told), late + len(behind)
        assert decided == reading.revision == len(logged)
        assert decided + late == 600
        assert late  # else they were not at once


@pytest.mark.django_db(transaction=True)
def test_a_gesture_that_is_sent_twice_at_once_is_done_once(alice):
    with scope(lab=alice.lab):
        case = alice.case()
        open_reading(case, Reading.Kind.FIRST, reader=None)
        cells = cells_in(alice, case, 5)
    sent, user = Sent(base_revision=0), alice.membership.user
    ready = threading.Barrier(4)

    def work():
        with scope(lab=alice.lab):
            mine = Reading.objects.select_related("case__lab", "lab").get()
            ready.wait()
            return applied(confirm(mine, cells, by=user, sent=sent).gesture)

    answers = at_once(*[work] * 4)
    assert all(answer == answers[0] for answer in answers)
    with scope(lab=alice.lab):
        assert (Gesture.objects.count(), Decision.objects.count()) == (1, 5)


@pytest.mark.django_db(transaction=True)
def test_of_two_gestures_with_one_id_in_two_cases_one_is_done(alice):
    with scope(lab=alice.lab):
        cases = [alice.case(f"A-{n}") for n in range(2)]
        readings = [open_reading(case, Reading.Kind.FIRST, reader=None) for case in cases]
        cells = [cells_in(alice, case, 1) for case in cases]
    sent, user, ready = Sent(base_revision=0), alice.membership.user, threading.Barrier(2)

    def work(n):
        with scope(lab=alice.lab):
            mine = Reading.objects.select_related("case__lab", "lab").get(id=readings[n].id)
            ready.wait()
            try:
                confirm(mine, cells[n], by=user, sent=sent)
            except GestureDiffers:
                return False
            return True

    assert sorted(at_once(lambda: work(0), lambda: work(1))) == [False, True]
    with scope(lab=alice.lab):
        assert (Gesture.objects.count(), Decision.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_a_case_that_is_signed_meanwhile_takes_no_gesture(alice):
    with scope(lab=alice.lab):
        case = alice.case()
        reading = open_reading(case, Reading.Kind.FIRST, reader=None)
        cells = cells_in(alice, case, 2)
    held, may_end = threading.Event(), threading.Event()

    def sign():
        with scope(lab=alice.lab), transaction.atomic():
            hold(case)
            held.set()
            may_end.wait(5)
            Case.objects.filter(id=case.id).update(review=Review.SIGNED)

    def work():
        with scope(lab=alice.lab):
            mine = Reading.objects.select_related("case__lab", "lab").get(id=reading.id)
            held.wait(5)
            threading.Timer(0.3, may_end.set).start()
            with pytest.raises(ReviewOver):
                confirm(mine, cells, by=alice.membership.user, sent=Sent(base_revision=0))

    at_once(sign, work)
    with scope(lab=alice.lab):
        assert not Decision.objects.exists()


def test_another_constraint_is_not_taken_for_a_gestures_id(alice, case, reading, user, monkeypatch):
    def broken(*_):
        raise IntegrityError("another")

    monkeypatch.setattr("webapp.review.services._append", broken)
    with pytest.raises(IntegrityError):
        confirm(reading, cells_in(alice, case, 1), by=user, sent=Sent(base_revision=0))
