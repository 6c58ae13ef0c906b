"""Ranges on a real database: proposed, approved, retired; what the database itself rejects."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django_scopes import scope
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.ranges import approved
from webapp.audit.models import Entry
from webapp.hematology.coverage import ANY, FEMALE, MALE, SEXES
from webapp.outbox.models import Delivery
from webapp.ranges.models import ReferenceRange
from webapp.ranges.selectors import applying, groups, proposed, valid_now
from webapp.ranges.services import NotProposed, NotWhole, approve, propose, retire, set_correction, withdraw
from webapp.ranges.tables import parse, shipped

pytestmark = pytest.mark.usefixtures("plain_static")

HEADING = "class,quantity,sex,age_from_days,age_to_days,low,high,source\n"


@pytest.fixture(autouse=True)
def _in_the_lab(lab):
    with scope(lab=lab):
        yield


@pytest.fixture
def user(alice):
    return alice.membership.user


def rows(*lines):
    return parse(HEADING + "".join(f"neutrophil,absolute,{line},A book\n" for line in lines))


def ids(made):
    return [row.pk for row in made]


def after_of(action):
    after = Entry.objects.get(action=action).after
    assert after is not None
    return after


def checked_now():
    """What the database would look for when the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def test_what_is_proposed_counts_for_nothing(lab, user):
    made = propose(lab, rows("any,0,,1.8,7.7"), by=user)
    assert not valid_now(lab.id).exists()
    assert ids(proposed(lab.id)) == ids(made)
    assert after_of("lab.ranges_proposed")["ids"] == ids(made)


def test_what_is_there_already_is_not_proposed_again(lab, user):
    approve(lab, ids(propose(lab, rows("any,0,,1.8,7.7"), by=user)), by=user)
    assert propose(lab, rows("any,0,,1.8,7.7"), by=user) == []
    (made,) = propose(lab, rows("any,0,,2,7", "any,0,,2,7"), by=user)
    assert made.low == 2


def test_approved_it_counts_and_who_and_when_is_on_record(lab, user):
    made = propose(lab, rows("any,0,730,1,9", "any,730,,2,7"), by=user)
    approve(lab, ids(made), by=user)
    checked_now()
    for row in valid_now(lab.id):
        assert (row.approved_by, row.valid_from, row.valid_to) == (user, row.approved_at, None)
    after = after_of("lab.ranges_approved")
    assert (after["ids"], after["classes"]) == (ids(made), ["neutrophil"])


def test_a_change_is_a_new_row_and_the_old_one_stays(lab, user):
    old = propose(lab, rows("any,0,730,1,9", "any,730,,2,7"), by=user)
    approve(lab, ids(old), by=user)
    (new,) = propose(lab, rows("any,730,,2.5,7.5"), by=user)
    (group,) = groups(lab.id)
    assert [one.replaced for one in group.proposals] == [(valid_now(lab.id).get(low=2),)]
    approve(lab, [new.pk], by=user)
    checked_now()
    ended = ReferenceRange.objects.get(id=old[1].pk)
    begun = ReferenceRange.objects.get(id=new.pk)
    assert (ended.valid_to, ended.retired_by) == (begun.valid_from, user)
    assert ended.low == 2
    assert set(ids(valid_now(lab.id))) == {old[0].pk, new.pk}


@pytest.mark.parametrize(
    ("given_rows", "says"),
    [
        (["any,0,730,1,9"], "Neutrophil, 10⁹/L: there would be no range, from 2 years on."),
        (["any,3,,1,9"], "there would be no range, under 3 days."),
        (["any,0,730,1,9", "any,700,,2,7"], "more than one range, from 700 days to under 2 years."),
        (["female,0,,1,9"], "there would be no range for men and boys, all ages."),
        (["male,0,,1,9"], "there would be no range for women and girls, all ages."),
        (["any,0,,1,9", "female,4015,,2,7"], "more than one range for women and girls, from"),
    ],
)
def test_a_gap_or_an_overlap_is_said_in_words(lab, user, given_rows, says):
    made = propose(lab, rows(*given_rows), by=user)
    with pytest.raises(NotWhole) as caught:
        approve(lab, ids(made), by=user)
    assert says in str(caught.value)
    assert not valid_now(lab.id).exists()


def test_a_part_alone_cannot_take_the_place_of_a_whole(lab, user):
    approve(lab, ids(propose(lab, rows("any,0,,1.8,7.7"), by=user)), by=user)
    (made,) = propose(lab, rows("any,0,730,1,9"), by=user)
    with pytest.raises(NotWhole, match="no range, from 2 years on"):
        approve(lab, [made.pk], by=user)
    assert valid_now(lab.id).get().low == Decimal("1.8")


def test_nothing_is_approved_twice_or_after_it_was_taken_back(lab, user):
    made = propose(lab, rows("any,0,,1.8,7.7"), by=user)
    withdraw(lab, ids(made))
    for deed in (lambda: approve(lab, ids(made), by=user), lambda: withdraw(lab, ids(made))):
        with pytest.raises(NotProposed):
            deed()
    made = propose(lab, rows("any,0,,1.8,7.7"), by=user)
    approve(lab, ids(made), by=user)
    with pytest.raises(NotProposed):
        approve(lab, ids(made), by=user)


def test_another_lab_s_rows_are_not_there(lab, user, charlie):
    with scope(lab=charlie.lab):
        theirs = propose(charlie.lab, rows("any,0,,1.8,7.7"), by=charlie.membership.user)
    with pytest.raises(NotProposed):
        approve(lab, ids(theirs), by=user)


def test_a_class_may_be_left_without(lab, user):
    approve(lab, ids(propose(lab, rows("any,0,,1.8,7.7"), by=user)), by=user)
    retire(lab, "neutrophil", "absolute", by=user)
    checked_now()
    assert not valid_now(lab.id).exists()
    assert Entry.objects.filter(action="lab.ranges_retired").count() == 1
    retire(lab, "neutrophil", "absolute", by=user)
    assert Entry.objects.filter(action="lab.ranges_retired").count() == 1


def test_the_shipped_set_is_approved_as_it_is(lab, user):
    made = propose(lab, shipped(), by=user)
    approve(lab, ids(made), by=user)
    checked_now()
    assert valid_now(lab.id).count() == len(shipped())


def test_whoever_judges_cases_is_told(lab, user):
    approve(lab, ids(propose(lab, rows("any,0,,1.8,7.7"), by=user)), by=user)
    assert Delivery.objects.filter(consumer="results.judge_again").count() == 1
    set_correction(lab, 1)
    set_correction(lab, 1)
    assert Delivery.objects.filter(consumer="results.judge_again").count() == 2
    assert Entry.objects.get(action="lab.nrbc_correction_set").after == {"nrbc_correction_from": 1}


# --- what the database rejects ------------------------------------------------------------------------------


def written(lab, user, *given_rows):
    """Rows past the services, and what the database says of them."""
    with transaction.atomic():
        approved(lab, user, *given_rows)
        checked_now()


WHOLE = {"cell_class": "neutrophil", "low": 2, "high": 7}


@pytest.mark.parametrize(
    "wrong",
    [
        [{**WHOLE, "age_from_days": 1}],
        [{**WHOLE, "age_to_days": 730}],
        [WHOLE, WHOLE],
        [WHOLE, {**WHOLE, "age_from_days": 100}],
        [{**WHOLE, "age_to_days": 730}, {**WHOLE, "age_from_days": 731}],
        [{**WHOLE, "age_to_days": 730}, {**WHOLE, "age_from_days": 729}],
        [{**WHOLE, "sex": "female"}],
        [WHOLE, {**WHOLE, "sex": "male"}],
        [{**WHOLE, "sex": "male"}, {**WHOLE, "sex": "female", "age_from_days": 2}],
    ],
)
def test_the_database_keeps_gaps_and_overlaps_out(lab, user, wrong):
    with pytest.raises(DatabaseError, match="gap or an overlap"):
        written(lab, user, *wrong)


@pytest.mark.parametrize(
    "whole",
    [
        [WHOLE],
        [{**WHOLE, "age_to_days": 730}, {**WHOLE, "age_from_days": 730}],
        [{**WHOLE, "sex": "male"}, {**WHOLE, "sex": "female"}],
        [
            {**WHOLE, "age_to_days": 730},
            {**WHOLE, "age_from_days": 730, "sex": "male"},
            {**WHOLE, "age_from_days": 730, "sex": "female"},
        ],
        [WHOLE, {**WHOLE, "quantity": "percent"}, {**WHOLE, "cell_class": "monocyte"}],
    ],
)
def test_the_database_takes_what_is_whole(lab, user, whole):
    approved(lab, user, *whole)
    checked_now()


@pytest.mark.parametrize(
    "change",
    [
        "valid_to = valid_from - interval '1 second'",
        "low = 3",
        "source = 'Another'",
        "age_from_days = 0, age_to_days = 9",
        "approved_at = now() + interval '1 day'",
        "approved_at = NULL, approved_by_id = NULL, valid_from = NULL",
        "lab_id = gen_random_uuid()",
    ],
)
def test_what_was_approved_never_changes(lab, user, change):
    approved(lab, user, WHOLE)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE ranges_referencerange SET {change}")  # noqa: S608


@pytest.mark.parametrize("statement", ["DELETE FROM ranges_referencerange", "TRUNCATE ranges_referencerange"])
def test_what_was_approved_stays(lab, user, statement):
    approved(lab, user, WHOLE)
    checked_now()
    with (
        pytest.raises(DatabaseError, match="never changes"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_what_is_retired_does_not_come_back(lab, user):
    (row,) = approved(lab, user, WHOLE)
    ReferenceRange.objects.filter(id=row.pk).update(valid_to=F("valid_from"))
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        ReferenceRange.objects.filter(id=row.pk).update(valid_to=None)


@pytest.mark.parametrize(
    "values",
    [
        {"low": 8},
        {"low": None, "high": None},
        {"critical_low": 3},
        {"critical_high": 6},
        {"low": -1},
        {"age_from_days": 5, "age_to_days": 5},
        {"approved_by": None},
        {"approved_at": None},
        {"valid_from": None},
    ],
)
def test_the_database_keeps_out_what_is_no_range(lab, user, values):
    with pytest.raises(DatabaseError):
        written(lab, user, {**WHOLE, **values})


BORDERS = (0, 1, 4, 30, 730, 4015, 6574)


@st.composite
def whole_sets(draw):
    """Rows that cover a life for each sex, or none at all."""
    if draw(st.booleans()) and draw(st.booleans()):
        return []
    found = []
    parts_at = draw(st.sampled_from([None, *BORDERS]))  # from which age on the sexes have rows of their own
    for sex, first, last in (
        [(ANY, 0, None)]
        if parts_at is None
        else [*([(ANY, 0, parts_at)] if parts_at else []), (FEMALE, parts_at, None), (MALE, parts_at, None)]
    ):
        inner = [one for one in BORDERS if one > first and (last is None or one < last)]
        cuts = sorted(draw(st.sets(st.sampled_from(inner), max_size=3)) if inner else set())
        edges = [first, *cuts, last]
        found += [
            {**WHOLE, "sex": sex, "age_from_days": start, "age_to_days": end}
            for start, end in pairwise(edges)
        ]
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(found=whole_sets(), ages=st.lists(st.integers(0, 45_000), min_size=5, max_size=20))
def test_of_what_is_approved_every_age_has_one_row_for_each_sex_or_none_at_all(lab, user, found, ages):
    with transaction.atomic():
        approved(lab, user, *found)
        checked_now()
        rows_ = list(valid_now(lab.id))
        for age in {*ages, *BORDERS, *(one - 1 for one in BORDERS if one), 45_000}:
            for sex in SEXES:
                of_them = [row for row in rows_ if row.span.is_of(sex) and row.span.holds(age)]
                assert len(of_them) == (1 if found else 0)
                assert applying(rows_, "neutrophil", "absolute", age=age, sex=sex) is (
                    of_them[0] if of_them else None
                )
                assert applying(rows_, "monocyte", "absolute", age=age, sex=sex) is None
        transaction.set_rollback(True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(found=whole_sets().filter(bool), data=st.data())
def test_the_service_and_the_database_call_the_same_sets_whole(lab, user, found, data):
    """A whole set without one of its rows, or with one twice: both reject it."""
    victim = data.draw(st.sampled_from(found))
    broken = data.draw(st.sampled_from(["without", "twice"]))
    wrong = [one for one in found if one != victim] if broken == "without" else [*found, victim]
    if not wrong:
        return
    with pytest.raises(DatabaseError, match="gap or an overlap"):
        written(lab, user, *wrong)
    text = [f"{one['sex']},{one.get('age_from_days', 0)},{one.get('age_to_days') or ''},2,7" for one in wrong]
    with transaction.atomic():
        values = [replace(row, source=str(place)) for place, row in enumerate(rows(*text))]
        made = propose(lab, values, by=user)
        with pytest.raises(NotWhole):
            approve(lab, ids(made), by=user)
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_approve_at_once_one_takes_the_place_of_the_other(alice):
    user, lab = alice.membership.user, alice.lab
    first = propose(lab, rows("any,0,,1,7"), by=user)
    second = propose(lab, rows("any,0,,2,8"), by=user)
    both = threading.Barrier(2)

    def at_once(made):
        try:
            with scope(lab=lab):
                both.wait()
                approve(lab, ids(made), by=user)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(at_once, [first, second]))
    assert valid_now(lab.id).count() == 1
    assert ReferenceRange.objects.filter(valid_to__isnull=False).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_write_past_the_service_at_once_the_second_fails(alice):
    user, lab = alice.membership.user, alice.lab
    both = threading.Barrier(2)

    def at_once(_):
        try:
            with scope(lab=lab), transaction.atomic():
                approved(lab, user, WHOLE)
                both.wait()
        except DatabaseError as error:
            return str(error)
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(at_once, range(2)))
    assert said[0] == ""
    assert "gap or an overlap" in said[1]
