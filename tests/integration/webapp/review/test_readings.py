"""Readings and their decisions, on a real database."""

import threading

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.urls import reverse
from django_scopes import scope

from tests.support.data_keys import key
from tests.support.pages import add_cells, cell_of, page_of
from tests.support.people import person
from tests.support.present import present
from tests.support.review import decide
from webapp.audit.models import Entry
from webapp.cases.closing import ReviewOver
from webapp.cases.models import Case, Review
from webapp.cases.services import change_identifiers, create_case, erase, merge
from webapp.crypto.cipher import Unreadable
from webapp.crypto.rotation import rotate, stale_rows
from webapp.hematology.classes import UNIDENTIFIED
from webapp.labs.permissions import Role
from webapp.review import selectors
from webapp.review.models import Decision, Reading
from webapp.review.selectors import Counts, counts_of, shown_reading
from webapp.review.services import NotInCase, UnknownClass, open_reading

pytestmark = pytest.mark.usefixtures("fresh_rates", "plain_static")
FIRST, SECOND, TEACHING = Reading.Kind


def entries(lab, action):
    return list(
        Entry.objects.filter(chain=lab.id, action=action).order_by("seq").values_list("after", flat=True)
    )


# --- readings -------------------------------------------------------------------------------------


def test_a_case_has_one_first_reading_and_each_reader_one_second(alice, case, user):
    other = person(alice.lab, "Olga", Role.PATHOLOGIST).membership.user
    first = open_reading(case, FIRST, reader=None)
    assert open_reading(case, FIRST, reader=user) == first
    second = open_reading(case, SECOND, reader=user, blinded=True)
    assert open_reading(case, SECOND, reader=user) == second
    assert open_reading(case, SECOND, reader=other) != second
    assert open_reading(case, TEACHING, reader=user) != open_reading(case, TEACHING, reader=user)
    assert [row["kind"] for row in entries(alice.lab, "case.reading_opened")] == [
        "first", "second", "second", "teaching", "teaching",
    ]  # fmt: skip
    for kind, reader in ((FIRST, other), (SECOND, user)):
        with pytest.raises(IntegrityError), transaction.atomic():
            Reading.objects.create(lab=alice.lab, case=case, kind=kind, reader=reader)
    with pytest.raises(ValueError, match="has a reader"):
        open_reading(case, SECOND, reader=None)


@pytest.mark.django_db(transaction=True)
def test_two_who_open_the_first_reading_at_once_have_the_same(alice):
    with scope(lab=alice.lab):
        case = alice.case()
    ready, opened = threading.Barrier(4), []

    def open_it():
        try:
            with scope(lab=alice.lab):
                ready.wait()
                opened.append(open_reading(case, FIRST, reader=alice.membership.user).id)
        finally:
            connection.close()

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 4
    assert len(set(opened)) == 1


# --- decisions ------------------------------------------------------------------------------------


def test_the_last_decision_of_a_cell_counts_and_all_are_kept(case, cells, reading, user):
    first, second, unsure = cells
    assert decide(reading, [first, unsure, first], "basophil", by=user) == 2
    assert decide(reading, [unsure], "monocyte", by=user, words="vacuoles") == 3
    kept = Decision.objects.order_by("number")
    assert [(row.number, row.cell_id, row.cell_class, row.words) for row in kept] == [
        (1, first, "basophil", ""),
        (2, unsure, "basophil", ""),
        (3, unsure, "monocyte", "vacuoles"),
    ]
    assert {row.by for row in kept} == {user}
    reading.refresh_from_db()
    assert reading.revision == 3
    shown = {row.cell_id: (row.shown_class, row.decided_class) for row in selectors.cells(case, reading)}
    assert shown == {
        first: ("basophil", "basophil"),
        second: ("neutrophil", None),
        unsure: ("monocyte", "monocyte"),
    }
    assert counts_of(case, reading) == Counts({"neutrophil": 1}, {"basophil": 1, "monocyte": 1})


def test_many_cells_cost_as_many_queries_as_one(alice, case, reading, user, django_assert_num_queries):
    many = [cell_of(image).id for image in add_cells(alice, case, "neutrophil", *[0.9] * 60)]
    decide(reading, many[:1], "monocyte", by=user)
    for cells in (many[:1], many[:-1]):
        # Two are the transaction's, two hold the case, two see whether it is ready, one is the test's.
        with django_assert_num_queries(12):
            decide(reading, cells, "neutrophil", by=user)


def test_a_cell_of_another_case_or_lab_decides_nothing(alice, charlie, case, cells, reading, user):
    (other,) = add_cells(alice, alice.case("B-2"), "neutrophil", 0.9)
    with scope(lab=charlie.lab):
        (foreign,) = add_cells(charlie, charlie.case(), "neutrophil", 0.9)
    for wrong in (cell_of(other).id, cell_of(foreign).id, 10**15):
        with pytest.raises(NotInCase):
            decide(reading, [cells[0], wrong], "monocyte", by=user)
    with pytest.raises(UnknownClass):
        decide(reading, cells, UNIDENTIFIED, by=user)
    assert not Decision.objects.exists()
    case.refresh_from_db()
    assert case.review == Review.OPEN


def test_the_first_decision_puts_a_case_in_review_and_a_learners_does_not(case, cells, user):
    decide(open_reading(case, TEACHING, reader=user), cells, "monocyte", by=user)
    case.refresh_from_db()
    assert case.review == Review.OPEN
    assert shown_reading(case, user) is None
    reading = open_reading(case, FIRST, reader=None)
    decide(reading, cells[:1], "monocyte", by=user)
    case.refresh_from_db()
    assert case.review == Review.IN_REVIEW
    assert shown_reading(case, user) == reading


@pytest.mark.parametrize("review", [Review.SIGNED, Review.AMENDED, Review.VOID])
def test_nothing_is_decided_once_a_case_is_signed_or_void(case, cells, reading, user, review):
    Case.objects.update(review=review)
    with pytest.raises(ReviewOver):
        decide(reading, cells, "monocyte", by=user)
    assert not Decision.objects.exists()


def test_readings_know_nothing_of_each_other(case, cells, reading, user):
    second = open_reading(case, SECOND, reader=user, blinded=True)
    decide(reading, cells, "basophil", by=user)
    decide(second, cells[:1], "monocyte", by=user)
    assert counts_of(case, second) == Counts({"neutrophil": 1, UNIDENTIFIED: 1}, {"monocyte": 1})
    assert counts_of(case, reading) == Counts({}, {"basophil": 3})


def test_the_trail_tells_of_decisions_once_a_minute(alice, case, cells, reading, user):
    for _ in range(3):
        decide(reading, cells, "monocyte", by=user)
    told = entries(alice.lab, "case.cells_decided")
    assert 1 <= len(told) <= 2  # two, if the minute ended meanwhile
    assert told[0] == {"reading": reading.id, "first": 1}


@pytest.mark.django_db(transaction=True)
def test_people_who_decide_at_once_lose_nothing(alice):
    with scope(lab=alice.lab):
        case = alice.case()
        cells = [cell_of(image).id for image in add_cells(alice, case, "neutrophil", 0.9, 0.8)]
        reading = open_reading(case, FIRST, reader=None)
    ready = threading.Barrier(4)

    def work():
        try:
            with scope(lab=alice.lab):
                ready.wait()
                for _ in range(10):
                    decide(Reading.objects.get(), cells, "monocyte", by=alice.membership.user)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with scope(lab=alice.lab):
        reading.refresh_from_db()
        assert reading.revision == 80
        assert [*Decision.objects.order_by("number").values_list("number", flat=True)] == [*range(1, 81)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE review_decision SET cell_class = 'platelet'",
        "UPDATE review_decision SET at = now()",
        "UPDATE review_decision SET words = words, number = number + 1",
        "DELETE FROM review_decision",
        "SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE review_decision CASCADE",
    ],
)
def test_the_database_lets_nobody_change_a_decision(case, cells, reading, user, statement):
    decide(reading, cells, "monocyte", by=user)
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert Decision.objects.count() == 3


def test_words_lie_sealed_and_are_sealed_anew(case, cells, reading, user, settings):
    old, new = key("2025-01-31", 1), key("2026-01-31", 2)
    settings.DATA_KEYS, settings.DATA_KEYS_FILE = old, None
    decide(reading, cells[:1], "monocyte", by=user, words="vacuoles")
    with connection.cursor() as cursor:
        cursor.execute("SELECT words FROM review_decision")
        (before,) = cursor.fetchone()
        assert b"vacuoles" not in bytes(before)
    settings.DATA_KEYS = f"{new},{old}"
    assert stale_rows() == 1
    list(rotate())
    assert stale_rows() == 0
    settings.DATA_KEYS = new
    assert Decision.objects.get().words == "vacuoles"


def test_words_are_the_patients_and_go_with_them(alice, case, cells, reading, user):
    """Sealed anew when the case becomes another patient's, and gone with the key of whose it is."""
    decide(reading, cells[:1], "monocyte", by=user, words="vacuoles")
    change_identifiers(case, {"name": "Ada Lovelace", "mrn": "1"})
    decide(reading, cells[1:], "monocyte", by=user, words="granules")
    other = create_case(alice.lab, accession="A-2", by=user, identifiers={"name": "Ada King", "mrn": "2"})
    merge(other, case)
    said = [decision.words for decision in Decision.objects.order_by("number")]
    assert said == ["vacuoles", "granules", "granules"]
    erase(present(Case.objects.get(id=other.id).patient))
    for decision in Decision.objects.all():
        with pytest.raises(Unreadable):
            assert decision.words
    assert counts_of(case, reading).reviewed == {"monocyte": 3}


# --- what people see ------------------------------------------------------------------------------


def test_pages_and_api_show_what_was_decided(alice, case, cells, reading, user):
    first, second, unsure = cells
    decide(reading, [first, unsure], "basophil", by=user)
    page = page_of(alice, "case", case.id)
    assert "Reviewed differential" in page
    assert "Suggested differential" in page
    assert page.count('<span class="hidden">Decided:</span>') == 2
    assert "Unidentified" not in page.partition('id="gallery"')[2]
    assert "Decided: Basophil" in page_of(alice, "cell", case.id, unsure)
    assert "Suggested: Neutrophil" in page_of(alice, "cell", case.id, second)
    assert "Basophil" in page_of(alice, "case-files", case.id)
    told = alice.api.read(f"/cases/{case.id}/").json()
    by_code = {
        name: {row["code"]: row["count"] for row in told[name]["white_cells"] if row["count"]}
        for name in ("differential", "reviewed_differential")
    }
    assert by_code == {"differential": {"neutrophil": 1}, "reviewed_differential": {"basophil": 2}}
    assert told["review"] == "in_review"
    for code, n in (("basophil", 2), ("neutrophil", 1), (UNIDENTIFIED, 0), ("monocyte", 0)):
        listed = alice.api.read(f"/cases/{case.id}/images/", cell_class=code).json()["results"]
        assert [row["cell_class"] for row in listed] == [code] * n
        assert all(row["decided"] == (code == "basophil") for row in listed)
        gallery = alice.browser.get(reverse("ui:gallery", args=[case.id]), {"class": code}).content.decode()
        assert gallery.count('class="tile"') == n


def test_before_anything_is_decided_nothing_is_reviewed(alice, case, cells, reading):
    page = page_of(alice, "case", case.id)
    assert "Reviewed differential" not in page
    assert alice.api.read(f"/cases/{case.id}/").json()["reviewed_differential"]["wbc_count"] == 0
