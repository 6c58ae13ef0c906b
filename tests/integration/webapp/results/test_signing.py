"""A person signs what they saw, and nothing else; afterwards the case stays as it is."""

import hashlib
import json
from datetime import UTC, datetime

import pytest
import rfc8785
from django.db import connection
from django.db.utils import InternalError, ProgrammingError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from django_scopes import scope

from tests.support.pages import add_cells, add_unusable, cell_of
from tests.support.people import person
from tests.support.present import present
from tests.support.results import FEW, it_is_them, now, ready, shown, signed
from tests.support.review import decide
from webapp.accounts.methods import Method
from webapp.accounts.proof import NotProved
from webapp.audit.actions import Action
from webapp.audit.models import Entry
from webapp.cases import specimen_services
from webapp.cases.closing import ReviewOver
from webapp.cases.models import Case, Image, Review
from webapp.cases.services import change_identifiers, merge, split
from webapp.inference.rerun import rerun
from webapp.inference.services import requeue
from webapp.labs.models import Signatures
from webapp.labs.permissions import Role
from webapp.labs.services import change_role, deactivate
from webapp.outbox.events import CONSUMERS, CaseReady, CaseSigned, Consumer
from webapp.outbox.models import Delivery
from webapp.outbox.queues import Queue
from webapp.reports.sheet import sheet_of
from webapp.results.disclosure import without_identifiers
from webapp.results.document import parts_of
from webapp.results.models import Ready, Result, Signature
from webapp.results.rules import answer
from webapp.results.signing import (
    Incomplete,
    MayNotSign,
    Moved,
    SamePerson,
    Shown,
    SignedAlready,
    prepare,
    sign,
)
from webapp.review.models import CellState, Reading, RuleAnswer
from webapp.review.remark_services import make_remark
from webapp.review.services import open_reading
from webapp.rules import services as rules
from webapp.rules.conditions import Then, read_all
from webapp.rules.services import Draft
from webapp.uploads import services as uploads

pytestmark = pytest.mark.usefixtures("plain_static")


@pytest.fixture
def told(monkeypatch):
    """What consumers of these events are told."""
    for event in (CaseReady, CaseSigned):
        name = f"tests.{event.__name__}"
        monkeypatch.setitem(CONSUMERS, name, Consumer(name, event, Queue.EVENTS, lambda event: None))

    def deliveries(event):
        return list(
            Delivery.objects.filter(consumer=f"tests.{event.__name__}").values_list("event", flat=True)
        )

    return deliveries


def codes(case, reason=""):
    return [one.code for one in prepare(now(case), reason).missing]


def drafted(case):
    return present(prepare(now(case), FEW).draft).values


def test_what_is_signed_is_what_was_shown(pat, read_case, told):
    signature = signed(read_case, pat)
    result = Result.objects.get()
    assert (result.version, result.status, now(read_case).review) == (1, "final", "signed")
    assert (
        hashlib.sha256(result.document.encode()).digest() == bytes(result.sha256) == bytes(signature.sha256)
    )
    assert rfc8785.dumps(json.loads(result.document)).decode() == result.document
    assert (signature.printed_name, signature.role, signature.meaning) == ("Pat", "pathologist", "authorised")
    assert told(CaseSigned) == [
        {"lab": str(pat.lab.id), "case": str(read_case.id), "result": str(result.id), "version": 1}
    ]
    entry = Entry.objects.get(action=Action.RESULT_SIGNED)
    assert present(entry.after)["sha256"] == result.digest
    assert entry.sentence.endswith(" signed version 1 of the result of case A-1 (authorised)")


def test_the_document_says_all(pat, read_case):
    signed(read_case, pat)
    values = Result.objects.get().values
    assert values["patient"] | {"id": ""} == {
        "id": "",
        "name": "Pat Example",
        "mrn": "4711",
        "birth_date": None,
        "sex": "female",
    }
    assert values["case"]["accession"] == "A-1"
    assert values["cells"] == {
        "required": 100,
        "white_cells": 3,
        "not_classed": 0,
        "undecided": 0,
        "reason": FEW,
    }
    assert values["reading"]["readers"] == [{"id": pat.membership.user_id, "name": "Pat", "cells": 3}]
    assert values["models"] == [{"name": "hematovision", "version": 1, "cells": 3}]
    (row,) = [row for row in values["rows"] if row["count"]]
    assert (row["class"], row["count"], row["percent"]) == ("neutrophil", 3, "100.00")
    assert values["amends"] is None


def test_the_document_says_what_was_remarked_and_what_rules_asked_for(pat, read_case):
    user = pat.membership.user
    reading = Reading.objects.select_related("case__lab", "lab").get()
    every = read_all([{"quantity": "count", "class": "neutrophil", "op": ">", "value": "0"}])
    seen = rules.accept(rules.add(pat.lab, Draft("Any", every, Then.MUST_SEE), by=user), by=user)
    proposed = Draft("Proposed", every, Then.REMARK, "Look for clumps.")
    proposes = rules.accept(rules.add(pat.lab, proposed, by=user), by=user)
    assert "rule_remark" in codes(read_case)
    answer(reading, proposes, RuleAnswer.Answer.TAKEN, by=user)
    make_remark(reading, subject="red_cells", term="anisocytosis", grade="2+", by=user)
    before, values = shown(read_case), drafted(read_case)
    remarks = [(one["term"], one["grade"], one["words"], one["by"]) for one in values["remarks"]]
    assert remarks == [("anisocytosis", "2+", "", "Pat"), ("words", "", "Look for clumps.", "Pat")]
    by_name = {one["name"]: one for one in values["rules"]}
    assert by_name["Any"]["answer"] is None  # whoever signs sees the case
    assert by_name["Any"]["sentence"] == seen.sentence
    assert (by_name["Proposed"]["answer"]["answer"], by_name["Proposed"]["answer"]["by"]) == ("taken", "Pat")
    make_remark(
        reading, subject="red_cells", term="anisocytosis", grade="3+", words="In all fields.", by=user
    )
    with pytest.raises(Moved):
        sign(now(read_case), pat.membership, before, prove=it_is_them)
    assert parts_of(values)["remarks"] != parts_of(drafted(read_case))["remarks"]
    hidden = without_identifiers(values)
    assert [one["words"] for one in hidden["remarks"]] == [None, None]
    assert not any(row["ranges"] for row in hidden["rows"])
    signed(read_case, pat)
    page = pat.browser.get(f"/cases/{read_case.id}/result/").content.decode()
    assert "Look for clumps." in page
    assert "Anisocytosis 3+: In all fields." in page
    assert f"Any, version 1: {seen.sentence}".replace(">", "&gt;") in page
    assert "Seen by whoever signed" in page
    assert "Remark taken, Pat, " in page


def test_the_document_of_a_rule_is_the_same_in_every_language(pat, read_case):
    user = pat.membership.user
    few = read_all([{"quantity": "count", "class": "neutrophil", "op": "<", "value": "1000.5"}])
    rules.accept(rules.add(pat.lab, Draft("Few", few, Then.MUST_SEE), by=user), by=user)
    here = shown(read_case)
    with translation.override("de"):
        there, (said,) = shown(read_case), drafted(read_case)["rules"]
        (read,) = sheet_of(drafted(read_case)).rules
    assert there == here
    assert "1000.5" in said["sentence"]
    assert "1.000,5" in read.sentence  # as whoever looks at it reads numbers


def test_a_rule_that_asks_for_what_there_is_no_more_reads_as_it_was_signed(pat, read_case):
    user = pat.membership.user
    every = read_all([{"quantity": "count", "class": "neutrophil", "op": ">", "value": "0"}])
    rule = rules.accept(rules.add(pat.lab, Draft("Any", every, Then.MUST_SEE), by=user), by=user)
    values = drafted(read_case)
    values["rules"][0]["when"][0]["quantity"] = "gone"
    assert [one.sentence for one in sheet_of(values).rules] == [rule.sentence]


def test_more_remarks_and_rules_cost_no_more_queries(pat, read_case):
    user = pat.membership.user
    reading = Reading.objects.select_related("case__lab", "lab").get()
    every = read_all([{"quantity": "count", "class": "neutrophil", "op": ">", "value": "0"}])

    def more(terms, name):
        rule = rules.accept(rules.add(pat.lab, Draft(name, every, Then.MUST_SEE), by=user), by=user)
        answer(reading, rule, RuleAnswer.Answer.SEEN, by=user)
        for term in terms:
            make_remark(reading, subject="red_cells", term=term, grade="2+", words="Some.", by=user)
        with CaptureQueriesContext(connection) as captured:
            values = drafted(read_case)
        return len(values["remarks"]), len(values["rules"]), len(captured)

    few = more(["anisocytosis"], "One")
    many = more(["macrocytes", "microcytes", "target_cells", "sickle_cells"], "Two")
    assert (few[:2], many[:2]) == ((1, 1), (5, 2))
    assert few[2] == many[2]


def test_the_same_case_has_the_same_document_however_often_it_is_made(read_case):
    assert shown(read_case) == shown(read_case)
    assert shown(read_case, "Another reason.").sha256 != shown(read_case).sha256


def test_what_is_missing_is_named(pat, lab):
    with scope(lab=lab):
        case = pat.case()
        assert codes(case) == ["no_images", "no_cells", "no_patient"]
        images = add_cells(pat, case, "neutrophil", 0.9, 0.9)
        assert codes(case) == ["undecided", "no_patient"]
        reading = open_reading(case, Reading.Kind.FIRST, reader=pat.membership.user)
        cells = [cell_of(image).id for image in images]
        decide(reading, cells[:1], "monocyte", by=pat.membership.user)
        change_identifiers(case, {"mrn": "1"})
        assert codes(case) == ["undecided", "short"]
        assert prepare(now(case)).missing[0].sentence == "1 cell has no decision yet."
        decide(reading, cells[1:], "monocyte", by=pat.membership.user)
        assert codes(case) == ["short"]
        assert codes(case, "Few cells.") == []
        add_unusable(pat, case, Image.Status.REFUSED)
        assert codes(case) == ["short"]  # what was refused is no image
        add_unusable(pat, case, Image.Status.FAILED)
        assert codes(case) == ["short", "failed"]
        assert codes(case, "Few cells.") == []


def test_nothing_is_signed_while_a_second_person_reads(pat, quinn, read_case):
    """And until both readings are finished and compared: webapp.results.rules."""
    second = open_reading(read_case, Reading.Kind.SECOND, reader=quinn.membership.user, blinded=True)
    assert len(codes(read_case, FEW)) == 1
    assert codes(read_case, FEW)[0] in ("second_reading", "rule_second_reader")
    Reading.objects.filter(pk=second.pk).update(finished_at=timezone.now())
    assert codes(read_case, FEW) == ["rule_second_reader"]


def test_nothing_is_signed_while_images_are_on_their_way(pat, read_case):
    uploads.begin(read_case, [uploads.File("more.jpg", 10)])
    seen = Shown(3, "0" * 64, "authorised", FEW)
    with pytest.raises(Incomplete) as caught:
        sign(now(read_case), pat.membership, seen, prove=it_is_them)
    assert [one.code for one in caught.value.missing] == ["in_progress"]


def test_what_moved_meanwhile_is_not_signed(pat, read_case):
    seen = shown(read_case)
    cell = present(CellState.objects.first()).cell_id
    decide(
        Reading.objects.select_related("case__lab", "lab").get(), [cell], "monocyte", by=pat.membership.user
    )
    with pytest.raises(Moved):
        sign(now(read_case), pat.membership, seen, prove=it_is_them)
    assert not Result.objects.exists()


def test_a_cell_decided_while_it_is_asked_who_is_there_is_not_signed(pat, read_case):
    seen = shown(read_case)
    cell = present(CellState.objects.first()).cell_id

    def slowly():
        reading = Reading.objects.select_related("case__lab", "lab").get()
        decide(reading, [cell], "monocyte", by=pat.membership.user)
        return Method.PASSWORD

    with pytest.raises(Moved):
        sign(now(read_case), pat.membership, seen, prove=slowly)
    assert not Result.objects.exists()


@pytest.mark.parametrize(
    "what",
    [lambda pat: change_role(pat.membership, Role.TECHNICIAN), lambda pat: deactivate(pat.membership)],
    ids=["demoted", "deactivated"],
)
def test_who_was_demoted_a_second_ago_signs_nothing(pat, read_case, what):
    seen = shown(read_case)

    def slowly():
        what(pat)
        return Method.PASSWORD

    with pytest.raises(MayNotSign):
        sign(now(read_case), pat.membership, seen, prove=slowly)
    assert not Result.objects.exists()


def test_a_wrong_proof_signs_nothing_and_is_on_record(pat, read_case):
    def wrong():
        raise NotProved("no")

    with pytest.raises(NotProved):
        sign(now(read_case), pat.membership, shown(read_case), prove=wrong)
    assert not Result.objects.exists()
    assert Entry.objects.filter(action=Action.SIGNING_DENIED, chain=pat.lab.id).exists()


def test_signing_again_gives_the_signature_that_was_given(pat, quinn, read_case):
    seen = shown(read_case)
    first = sign(now(read_case), pat.membership, seen, prove=it_is_them)
    again = sign(now(read_case), pat.membership, seen, prove=it_is_them)
    assert (first, Signature.objects.count()) == (again, 1)
    with pytest.raises(SignedAlready):
        sign(now(read_case), quinn.membership, seen, prove=it_is_them)


def test_two_people_sign_where_the_lab_asks_for_two(pat, quinn, read_case, told):
    pat.lab.signatures = Signatures.TWO
    pat.lab.save()
    first = signed(read_case, pat)
    assert (first.meaning, now(read_case).review, told(CaseSigned)) == ("reviewed", "reviewed", [])
    with pytest.raises(SamePerson):
        sign(now(read_case), pat.membership, Shown(3, "0" * 64, "authorised"), prove=it_is_them)
    with pytest.raises(Moved):
        sign(now(read_case), quinn.membership, Shown(3, "0" * 64, "authorised"), prove=it_is_them)
    second = signed(read_case, quinn)
    assert (second.meaning, bytes(second.sha256)) == ("authorised", bytes(first.sha256))
    assert (Result.objects.get().status, now(read_case).review) == ("final", "signed")
    assert len(told(CaseSigned)) == 1


def test_a_lab_that_asks_for_two_since_the_page_was_shown_gets_no_single_signature(pat, read_case):
    seen = shown(read_case)
    pat.lab.signatures = Signatures.TWO
    pat.lab.save()
    with pytest.raises(Moved):
        sign(now(read_case), pat.membership, seen, prove=it_is_them)


@pytest.mark.parametrize("signatures", Signatures)
def test_from_the_first_signature_on_the_case_stays_as_it_is(pat, read_case, signatures):
    pat.lab.signatures = signatures
    pat.lab.save()
    slide = specimen_services.add_slide(read_case, label="S-1")
    other = pat.case("A-2")
    change_identifiers(other, {"mrn": "other"})
    signed(read_case, pat)
    reading = Reading.objects.select_related("case__lab", "lab").get()
    cell = present(CellState.objects.first()).cell_id
    deeds = {
        "decide": lambda: decide(reading, [cell], "monocyte", by=pat.membership.user),
        "upload": lambda: uploads.begin(read_case, [uploads.File("more.jpg", 10)]),
        "requeue": lambda: requeue(read_case),
        "rerun": lambda: rerun(read_case),
        "specimen": lambda: specimen_services.change_specimen(read_case, {"material": "marrow"}),
        "add slide": lambda: specimen_services.add_slide(read_case, label="S-2"),
        "remove slide": lambda: specimen_services.remove_slide(slide),
        "link": lambda: change_identifiers(read_case, {"mrn": "other"}),
        "second": lambda: open_reading(read_case, Reading.Kind.SECOND, reader=pat.membership.user),
    }
    for deed in deeds.values():
        with pytest.raises(ReviewOver):
            deed()
    merge(other, read_case)  # two that are one person: the case stays whose it is
    with pytest.raises(ReviewOver):
        split(read_case)
    change_identifiers(read_case, {"name": "Pat Sample"})
    assert Result.objects.get().values["patient"]["name"] == "Pat Example"


def test_a_case_is_ready_once_each_time(pat, lab, told):
    with scope(lab=lab):
        case = ready(pat)
        assert [one["case"] for one in told(CaseReady)] == [str(case.id)]
        reading = Reading.objects.select_related("case__lab", "lab").get()
        cell = present(CellState.objects.first()).cell_id
        decide(reading, [cell], "monocyte", by=pat.membership.user)
        assert len(told(CaseReady)) == 1
        signed(case, pat)
        assert not Ready.objects.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE results_result SET sha256 = ''",
        "UPDATE results_result SET version = 2",
        "UPDATE results_result SET needed = 0",
        "DELETE FROM results_result",
        "UPDATE results_signature SET printed_name = 'Somebody else'",
        "DELETE FROM results_signature",
        "UPDATE results_step SET kind = 'void'",
        "DELETE FROM results_step",
    ],
)
def test_the_database_lets_nobody_change_what_was_signed(pat, read_case, statement):
    signed(read_case, pat)
    with pytest.raises((ProgrammingError, InternalError), match="append-only"), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_document_moves_to_the_key_of_whom_a_patient_is_merged_into(pat, read_case):
    other = ready(pat, "A-2", mrn="other")
    document = signed(read_case, pat) and Result.objects.get().document
    merge(other, read_case)
    assert now(read_case).patient_id == now(other).patient_id
    assert Result.objects.select_related("case__patient__key").get().document == document


def test_the_time_is_kept_with_the_labs_zone(pat, read_case):
    pat.lab.time_zone = "Asia/Kolkata"
    pat.lab.save()
    signature = signed(read_case, pat)
    assert signature.zone == "Asia/Kolkata"
    assert abs((signature.at - datetime.now(UTC)).total_seconds()) < 60


def test_other_labs_people_are_no_members_here(charlie, pat, read_case):
    stranger = person(charlie.lab, "Sam", Role.PATHOLOGIST)
    with pytest.raises(MayNotSign):
        sign(now(read_case), stranger.membership, shown(read_case), prove=it_is_them)
    assert Case.objects.get(id=read_case.id).review == Review.IN_REVIEW
