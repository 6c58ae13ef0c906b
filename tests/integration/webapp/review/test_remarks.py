"""Remarks in a reading: the last of a term counts, all of them stay; on a real database."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from tests.support.people import person
from tests.support.present import present
from webapp.audit.models import Entry
from webapp.cases.closing import ReviewOver
from webapp.cases.models import Case, Review
from webapp.cases.services import change_identifiers, erase
from webapp.hematology.remarks import WORDS, InvalidRemark
from webapp.labs.permissions import Permission, Role
from webapp.labs.tokens import issue_token
from webapp.patients.services import PatientErased
from webapp.review.models import Reading, Remark
from webapp.review.remark_services import NoRemark, make_remark, take_back
from webapp.review.remarks import history, standing
from webapp.review.services import open_reading

pytestmark = pytest.mark.usefixtures("fresh_rates", "plain_static")
RED = {"subject": "red_cells", "term": "schistocytes"}


def said(reading):
    return [(one.subject, one.term, one.grade, one.words) for one in standing(reading, texts=True)]


def test_the_last_of_a_term_counts_and_all_stay(alice, reading, user):
    make_remark(reading, **RED, grade="1+", by=user)
    make_remark(reading, subject="general", term=WORDS, words="Look again", by=user)
    make_remark(reading, **RED, grade="3+", by=user)
    assert said(reading) == [
        ("red_cells", "schistocytes", "3+", ""),
        ("general", WORDS, "", "Look again"),
    ]
    take_back(reading, **RED, by=user)
    assert said(reading) == [("general", WORDS, "", "Look again")]
    assert [(one.grade, one.is_taken_back) for one in history(reading, texts=False)] == [
        ("", True), ("3+", False), ("", False), ("1+", False),
    ]  # fmt: skip
    with pytest.raises(NoRemark):
        take_back(reading, **RED, by=user)
    entry = Entry.objects.filter(chain=alice.lab.id, action="case.remark_made").order_by("seq").first()
    assert entry is not None
    assert entry.after == {"reading": reading.pk, "term": "Schistocytes"}


def test_nobody_changes_what_was_remarked(reading, user):
    make_remark(reading, **RED, grade="1+", by=user)
    for statement in (
        "UPDATE review_remark SET grade = '3+'",
        "UPDATE review_remark SET is_taken_back = true",
        "DELETE FROM review_remark",
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            connection.cursor().execute(statement)


def test_what_there_is_not_is_not_remarked(reading, user):
    for changed in ({"grade": ""}, {"grade": "4+"}, {"subject": "platelets", "grade": "2+"}):
        with pytest.raises(InvalidRemark):
            make_remark(reading, **RED | changed, by=user)


def test_nothing_is_remarked_once_the_review_is_over(reading, user):
    make_remark(reading, **RED, grade="1+", by=user)
    Case.objects.filter(id=reading.case_id).update(review=Review.SIGNED)
    with pytest.raises(ReviewOver):
        make_remark(reading, **RED, grade="2+", by=user)
    with pytest.raises(ReviewOver):
        take_back(reading, **RED, by=user)


def test_words_lie_under_the_patients_key_and_are_erased_with_them(case, reading, user):
    change_identifiers(case, {"mrn": "42", "name": "Zephyrine"})
    make_remark(reading, subject="general", term=WORDS, words="As her sister’s", by=user)
    with connection.cursor() as cursor:
        cursor.execute("SELECT words FROM review_remark")
        assert b"sister" not in bytes(cursor.fetchone()[0])
    erase(present(Case.objects.get(id=case.id).patient))
    assert [one.words for one in standing(reading, texts=True)] == [None]
    with pytest.raises(PatientErased):
        make_remark(reading, subject="general", term=WORDS, words="More", by=user)
    make_remark(reading, **RED, grade="1+", by=user)
    assert ("red_cells", "schistocytes", "1+") in [one[:3] for one in said(reading)]


def test_by_the_api_and_who_may_not_see_identifiers_sees_no_words(alice, reading):
    path = f"/readings/{reading.pk}/remarks/"
    assert alice.api.send(path, {**RED, "grade": "2+"}).status_code == 200
    found = alice.api.send(path, {"subject": "general", "term": "words", "words": " Look  again "}).json()
    assert [(one["name"], one["grade"], one["words"]) for one in found] == [
        ("Schistocytes", "2+", ""),
        ("", "", "Look again"),
    ]
    _, secret = issue_token(alice.membership, "t", scopes=[Permission.VIEW_CASES])
    other = alice.api.__class__(headers={"Authorization": f"Bearer {secret}"})
    assert [one["words"] for one in other.read(path).json()] == [None, None]
    assert len(alice.api.read(path, history="1").json()) == 2
    taken = alice.api.send(path, {**RED, "is_taken_back": True}).json()
    assert [one["term"] for one in taken] == ["words"]
    assert alice.api.send(path, {**RED, "is_taken_back": True}).json()["error"]["code"] == "no_remark"
    for wrong in (RED, {**RED, "grade": "9"}, {"subject": "general", "term": "words"}, {"subject": "x"}):
        assert alice.api.send(path, wrong).status_code == 400


def test_a_blinded_readers_remarks_are_theirs(alice, case, reading, user):
    olga = person(alice.lab, "Olga", Role.PATHOLOGIST)
    make_remark(reading, **RED, grade="3+", by=user)
    mine = open_reading(case, Reading.Kind.SECOND, reader=olga.membership.user, blinded=True)
    make_remark(mine, **RED, grade="1+", by=olga.membership.user)
    text = olga.browser.get(reverse("ui:checks", args=[case.id])).content.decode()
    assert "Schistocytes 1+" in text
    assert "3+" not in text
    assert Remark.objects.count() == 2
