"""The second reader: asked, blinded, finished, compared, settled; on a real database."""

import json
import threading

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django_scopes import scope

from tests.support.pages import add_cells, cell_of
from tests.support.people import person
from tests.support.present import present
from tests.support.review import decide
from webapp.audit.models import Entry
from webapp.cases.closing import ReviewOver
from webapp.cases.models import Case, Review
from webapp.labs.permissions import Role
from webapp.notifications.consumers import tell_readers, tell_second_reader
from webapp.notifications.models import Kind, Notification
from webapp.outbox.events import ReadingsCompared, SecondReaderAsked
from webapp.reports.sheet import sheet_of
from webapp.results.document import draft
from webapp.results.rules import interpreted
from webapp.review import second_readers, selectors, settlement
from webapp.review.agreement import matrix, seen_agreements
from webapp.review.models import Agreement, CellState, Decision, Disagreement, Reading, SecondReader
from webapp.review.second_readers import ask, finish, standing, who_may, withdraw
from webapp.review.services import ReadsBlinded, Sent, UnknownClass, open_reading, undo

pytestmark = pytest.mark.usefixtures("fresh_rates", "plain_static")
FIRST, SECOND = Reading.Kind.FIRST, Reading.Kind.SECOND


@pytest.fixture
def olga(alice):
    return person(alice.lab, "Olga", Role.PATHOLOGIST)


@pytest.fixture
def ines(alice):
    return person(alice.lab, "Ines", Role.PATHOLOGIST)


@pytest.fixture
def cells(alice, case):
    images = add_cells(alice, case, "neutrophil", *[0.9] * 10)
    return [cell_of(image).id for image in images]


@pytest.fixture
def second(case, olga, user):
    ask(case, by=user, asked=olga.membership.user)
    return Reading.objects.get(case=case, kind=SECOND)


def of(someone):
    return someone.membership.user


def both(reading, second, cells, user, olga):
    """Ten cells: six lymphocytes and four neutrophils, and five and five: they differ on three."""
    decide(reading, cells[:6], "lymphocyte", by=user)
    decide(reading, cells[6:], "neutrophil", by=user)
    decide(second, cells[:4], "lymphocyte", by=of(olga))
    decide(second, cells[4:9], "neutrophil", by=of(olga))
    decide(second, cells[9:], "lymphocyte", by=of(olga))
    assert finish(reading, by=user) == []
    (made,) = finish(second, by=of(olga))
    return made


def actions(lab):
    return list(Entry.objects.filter(chain=lab.id).order_by("seq").values_list("action", flat=True))


# --- asking ----------------------------------------------------------------------------------------


def test_who_is_asked_by_name_is_blinded_at_once(alice, case, cells, reading, user, olga, second):
    decide(reading, cells, "neutrophil", by=user)
    assert (second.reader, second.blinded, second.revision) == (of(olga), True, 0)
    assert list(selectors.readings(of(olga)).filter(case=case)) == [second]
    assert selectors.is_blinded(case, of(olga))
    assert not selectors.is_blinded(case, user)
    case.refresh_from_db()
    assert selectors.shown_reading(case, of(olga)) == second
    assert standing(case).waiting[0].state == "asked"
    with pytest.raises(ReadsBlinded):
        open_reading(case, FIRST, reader=of(olga))
    assert "case.second_reader_asked" in actions(alice.lab)


def test_anybody_may_take_what_nobody_was_named_for(case, cells, user, olga, ines):
    asked = ask(case, by=user)
    reading = open_reading(case, SECOND, reader=of(ines), blinded=True)
    asked.refresh_from_db()
    assert asked.reading == reading
    # A second who comes by themselves is told of, too.
    other = open_reading(case, SECOND, reader=of(olga), blinded=True)
    assert SecondReader.objects.get(reading=other).asked_by == of(olga)


def test_only_who_may_and_did_not_see_the_first_reading_is_asked(
    alice, charlie, case, cells, reading, user, olga, ines
):
    decide(reading, cells[:1], "neutrophil", by=of(ines))
    assert [one.user for one in who_may(case)] == [of(olga)]
    for someone in (user, of(ines), of(charlie)):
        with pytest.raises(second_readers.CannotReadSecond):
            ask(case, by=user, asked=someone)
    ask(case, by=user, asked=of(olga))
    with pytest.raises(second_readers.AskedAlready):
        ask(case, by=user)
    Case.objects.filter(id=case.id).update(review=Review.SIGNED)
    with pytest.raises(ReviewOver):
        ask(case, by=user)


def test_what_is_withdrawn_before_it_is_begun_blinds_nobody(case, cells, user, olga, second):
    withdraw(case)
    assert not selectors.is_blinded(case, of(olga))
    assert not standing(case).waiting
    with pytest.raises(second_readers.NotWithdrawn):
        withdraw(case)
    ask(case, by=user, asked=of(olga))


def test_what_is_withdrawn_once_it_is_begun_stays_blinded(case, cells, user, olga, second):
    decide(second, cells[:1], "neutrophil", by=of(olga))
    assert standing(case).waiting[0].state == "reading"
    withdraw(case)
    assert not standing(case).waiting
    assert selectors.is_blinded(case, of(olga))


# --- finishing -------------------------------------------------------------------------------------


def test_a_reading_is_finished_when_no_cell_is_undecided(case, cells, reading, user):
    decide(reading, cells[1:], "neutrophil", by=user)
    with pytest.raises(second_readers.Undecided) as raised:
        finish(reading, by=user)
    assert raised.value.cells == 1
    decide(reading, cells[:1], "neutrophil", by=user)
    assert finish(reading, by=user) == []
    assert (reading.finished_by, reading.is_over) == (user, False)


def test_a_case_without_cells_is_not_finished(case, reading, user):
    with pytest.raises(second_readers.Undecided):
        finish(reading, by=user)


def test_who_finished_second_decides_no_more(case, cells, olga, second):
    decide(second, cells, "neutrophil", by=of(olga))
    assert finish(second, by=of(olga)) == []
    with pytest.raises(ReviewOver):
        decide(second, cells[:1], "lymphocyte", by=of(olga))
    assert standing(case).finished == 1
    assert not standing(case).is_done


def test_nobody_sees_the_other_until_both_are_finished(alice, case, cells, reading, user, olga, second):
    decide(second, cells, "neutrophil", by=of(olga))
    finish(second, by=of(olga))
    for viewer, seen in ((user, [reading]), (of(olga), [second])):
        assert list(selectors.readings(viewer).filter(case=case)) == seen
        assert not seen_agreements(case, viewer)
    decide(reading, cells, "neutrophil", by=user)
    (made,) = finish(reading, by=user)
    for viewer in (user, of(olga)):
        assert set(selectors.readings(viewer).filter(case=case)) == {reading, second}
        assert list(seen_agreements(case, viewer)) == [made]
    case.refresh_from_db()
    assert selectors.shown_reading(case, of(olga)) == reading
    assert standing(case).is_done
    assert actions(alice.lab)[-2:] == ["case.reading_finished", "case.readings_compared"]


# --- agreement -------------------------------------------------------------------------------------


def test_agreement_is_kept_as_it_was(case, cells, reading, user, olga, second):
    made = both(reading, second, cells, user, olga)
    made.refresh_from_db()
    # They agree on 4 + 3 of 10; by chance on 6·5 + 4·5 of 100.
    assert (made.cells, made.agreed, made.by_one) == (10, 7, 0)
    assert made.kappa == pytest.approx((0.7 - 0.5) / 0.5)
    assert made.confusion == {
        "lymphocyte": {"lymphocyte": 4, "neutrophil": 2},
        "neutrophil": {"neutrophil": 3, "lymphocyte": 1},
    }
    rows = matrix(made)
    assert rows.codes == ["neutrophil", "lymphocyte"]
    assert rows.rows == [("neutrophil", [3, 1], 4), ("lymphocyte", [2, 4], 6)]
    assert rows.totals == [5, 5]
    differ = Disagreement.objects.filter(agreement=made).order_by("cell")
    assert [row.cell_id for row in differ] == [cells[4], cells[5], cells[9]]
    together(made, settlement.in_favour_of(made, "second"), user, of(olga))
    made.refresh_from_db()
    assert made.agreed == 7
    for statement in ("UPDATE review_agreement SET agreed = 10", "DELETE FROM review_agreement"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            connection.cursor().execute(statement)


def test_one_class_alone_has_no_kappa(case, cells, reading, user, olga, second):
    for one, by in ((reading, user), (second, of(olga))):
        decide(one, cells, "neutrophil", by=by)
        finish(one, by=by)
    made = Agreement.objects.get(case=case)
    assert (made.kappa, made.agreed) == (None, 10)


def test_a_cell_that_one_alone_decided_is_a_disagreement_of_none(case, cells, reading, user, olga, second):
    decide(reading, cells, "neutrophil", by=user)
    finish(reading, by=user)
    decide(second, cells, "neutrophil", by=of(olga))
    # Taken back after it was finished.
    gesture = present(Decision.objects.filter(reading=reading).first()).gesture
    undo(reading, present(gesture).id, by=user, sent=Sent(base_revision=reading.revision))
    (made,) = finish(second, by=of(olga))
    assert (made.cells, made.by_one, made.kappa) == (0, 10, None)
    assert set(made.disagreements.values_list("first_class", "second_class")) == {("", "neutrophil")}
    assert settlement.in_favour_of(made, "first") == {}  # the first reading says nothing of them
    together(made, settlement.in_favour_of(made, "second"), user, of(olga))
    assert standing(case).is_done


def together(made, classes, by, other):
    """What one proposes the other confirms."""
    settlement.propose(made, classes, by=by, to=other)
    return settlement.confirm(made, classes, by=other)


# --- settlement ------------------------------------------------------------------------------------


def test_what_is_settled_becomes_a_decision_of_the_first_reading(
    alice, case, cells, reading, user, olga, ines, second
):
    made = both(reading, second, cells, user, olga)
    settlement.settle(made, {cells[4]: "monocyte"}, by=of(ines))
    row = Disagreement.objects.get(agreement=made, cell=cells[4])
    assert (row.settled_class, row.how, row.settled_by, row.settled_with) == (
        "monocyte",
        "third",
        of(ines),
        None,
    )
    decision = Decision.objects.get(reading=reading, number=present(row.number))
    assert (decision.cell_id, decision.cell_class, decision.by) == (cells[4], "monocyte", of(ines))
    assert CellState.objects.get(reading=reading, cell=cells[4]).cell_class == "monocyte"
    assert CellState.objects.get(reading=second, cell=cells[4]).cell_class == "neutrophil"
    # The third is none of the readers for having settled one.
    settlement.settle(made, settlement.in_favour_of(made, "first"), by=of(ines), side="first")
    assert not standing(case).open
    assert CellState.objects.get(reading=reading, cell=cells[9]).cell_class == "neutrophil"
    assert Disagreement.objects.get(agreement=made, cell=cells[9]).in_favour_of == "first"
    entry = present(
        Entry.objects.filter(chain=alice.lab.id, action="case.disagreements_settled").order_by("seq").last()
    )
    after = present(entry.after)
    assert (after["cells"], after["how"]) == (2, "third")
    assert "lymphocyte" not in str(after)
    (said,) = draft(reading, interpreted(reading)).values["second_readings"]
    assert (said["reader"], said["cells"], said["agreed"], said["kappa"]) == ("Olga", 10, 7, "0.400")
    assert [one["settled"] for one in said["disagreements"]].count("monocyte") == 1
    assert {(one["how"], one["by"], one["with"]) for one in said["disagreements"]} == {
        ("third", "Ines", None)
    }
    # One cell was settled on what neither said, two as the first reading had them.
    (shown,) = sheet_of(draft(reading, interpreted(reading)).values).second_readings
    assert "Olga: 7 of 10 cells alike before anything was settled, Cohen’s κ 0.40." in shown.said
    assert shown.settled == [
        "1 cell, first Lymphocyte, second Neutrophil: settled on Monocyte. By a third person: Ines.",
        "1 cell, first Lymphocyte, second Neutrophil: settled on Lymphocyte. By a third person: Ines.",
        "1 cell, first Neutrophil, second Lymphocyte: settled on Neutrophil. By a third person: Ines.",
    ]


def test_readers_settle_together_or_not_at_all(case, cells, reading, user, olga, ines, second):
    made = both(reading, second, cells, user, olga)
    wanted = settlement.in_favour_of(made, "first")
    for by in (user, of(olga)):
        with pytest.raises(settlement.NotThird):
            settlement.settle(made, wanted, by=by)
    for by, other in ((user, of(ines)), (user, user), (of(ines), user), (of(olga), of(olga))):
        with pytest.raises(settlement.NotBoth):
            settlement.propose(made, wanted, by=by, to=other)
    settlement.propose(made, wanted, by=of(olga), to=user, side="first")
    assert standing(case).open == 3  # it counts for nothing
    assert Reading.objects.get(pk=reading.pk).revision == made.first_revision
    rows = settlement.confirm(made, wanted, by=user)
    assert {(row.how, row.settled_by_id, row.settled_with_id, row.in_favour_of) for row in rows} == {
        ("together", of(olga).pk, user.pk, "first")
    }
    assert not standing(case).open
    row = present(Disagreement.objects.filter(agreement=made).first())
    assert (row.proposed_class, row.proposed_by, row.proposed_to, row.proposed_at) == ("", None, None, None)
    assert Decision.objects.get(reading=reading, number=present(row.number)).by == user


def test_nobody_but_the_other_reader_confirms_and_only_what_they_saw(
    alice, case, cells, reading, user, olga, ines, second
):
    made = both(reading, second, cells, user, olga)
    settlement.propose(made, {cells[4]: "monocyte"}, by=user, to=of(olga))
    for by, seen in (
        (user, {cells[4]: "monocyte"}),
        (of(ines), {cells[4]: "monocyte"}),
        (of(olga), {cells[4]: "lymphocyte"}),
        (of(olga), {cells[4]: "monocyte", cells[5]: "monocyte"}),
    ):
        with pytest.raises(settlement.NotProposedSo):
            settlement.confirm(made, seen, by=by)
    # Who was asked may propose otherwise: now it is the first one's to confirm.
    settlement.propose(made, {cells[4]: "eosinophil"}, by=of(olga), to=user)
    with pytest.raises(settlement.NotProposedSo):
        settlement.confirm(made, {cells[4]: "monocyte"}, by=of(olga))
    settlement.confirm(made, {cells[4]: "eosinophil"}, by=user)
    assert CellState.objects.get(reading=reading, cell=cells[4]).cell_class == "eosinophil"
    with pytest.raises(settlement.NotOpen):
        settlement.take_back(made, [cells[4]], by=user)
    actions = Entry.objects.filter(chain=alice.lab.id, action__startswith="case.settlement")
    assert [one.action for one in actions] == ["case.settlement_proposed"] * 2
    assert "monocyte" not in str([one.after for one in actions])


def test_what_is_proposed_is_taken_back_turned_down_or_settled_by_a_third(
    case, cells, reading, user, olga, ines, second
):
    made = both(reading, second, cells, user, olga)
    for by in (user, of(olga)):
        settlement.propose(made, {cells[4]: "monocyte"}, by=user, to=of(olga))
        with pytest.raises(settlement.NotProposedSo):
            settlement.take_back(made, [cells[4]], by=of(ines))
        settlement.take_back(made, [cells[4]], by=by)
        with pytest.raises(settlement.NotProposedSo):
            settlement.confirm(made, {cells[4]: "monocyte"}, by=of(olga))
    settlement.propose(made, {cells[4]: "monocyte"}, by=user, to=of(olga))
    settlement.settle(made, {cells[4]: "eosinophil"}, by=of(ines))
    with pytest.raises(settlement.NotOpen):
        settlement.confirm(made, {cells[4]: "monocyte"}, by=of(olga))
    row = Disagreement.objects.get(agreement=made, cell=cells[4])
    assert (row.settled_class, row.how, row.proposed_class) == ("eosinophil", "third", "")


@pytest.mark.django_db(transaction=True)
def test_of_those_who_confirm_take_back_and_settle_at_once_one_does(alice, olga, ines):
    """The other reader in two browsers, the one who proposed, and a third person."""
    user = alice.membership.user
    with scope(lab=alice.lab):
        case = alice.case()
        cells = [cell_of(image).id for image in add_cells(alice, case, "neutrophil", *[0.9] * 10)]
        reading = open_reading(case, FIRST, reader=user)
        ask(case, by=user, asked=of(olga))
        made = both(reading, Reading.objects.get(case=case, kind=SECOND), cells, user, olga)
        settlement.propose(made, {cells[4]: "monocyte"}, by=user, to=of(olga))
    deeds = [
        lambda: settlement.confirm(made, {cells[4]: "monocyte"}, by=of(olga)),
        lambda: settlement.confirm(made, {cells[4]: "monocyte"}, by=of(olga)),
        lambda: settlement.take_back(made, [cells[4]], by=user),
        lambda: settlement.settle(made, {cells[4]: "eosinophil"}, by=of(ines)),
    ]
    together_, outcomes = threading.Barrier(len(deeds)), []

    def do(deed):
        with scope(lab=alice.lab):
            together_.wait(60)
            try:
                deed()
                outcomes.append("done")
            except (settlement.NotOpen, settlement.NotProposedSo) as error:
                outcomes.append(type(error).__name__)
        connection.close()

    threads = [threading.Thread(target=do, args=[deed]) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == len(deeds)
    with scope(lab=alice.lab):
        row = Disagreement.objects.get(agreement=made, cell=cells[4])
        # What was taken back may be settled by the third still; nothing is settled twice.
        assert outcomes.count("done") in (1, 2)
        assert (row.settled_class, row.proposed_class) in (("monocyte", ""), ("eosinophil", ""))
        settled = Entry.objects.filter(chain=alice.lab.id, action="case.disagreements_settled")
        assert settled.count() == 1
        decisions = Decision.objects.filter(reading=reading, cell=cells[4])
        assert decisions.count() == 2


def test_a_class_that_the_lab_does_not_use_is_not_proposed(case, cells, reading, user, olga, second):
    made = both(reading, second, cells, user, olga)
    with pytest.raises(UnknownClass):
        settlement.propose(made, {cells[4]: "unicorn"}, by=user, to=of(olga))


def test_the_page_proposes_and_confirms(alice, case, cells, reading, user, olga, second):
    made = both(reading, second, cells, user, olga)
    settle, confirm, take_back = (
        reverse(f"ui:{name}", args=[case.id, made.id])
        for name in ("settle", "settle-confirm", "settle-take-back")
    )
    to_olga = {"together_with": of(olga).pk, f"cell-{cells[4]}": "monocyte", f"cell-{cells[5]}": "monocyte"}
    assert alice.browser.post(settle, to_olga).status_code == 302
    page = olga.browser.get(reverse("ui:agreement", args=[case.id])).content.decode()
    assert "2 cells are proposed to you and wait for you." in page
    assert f'name="seen-{cells[4]}" value="monocyte"' in page
    assert "wait for you" not in alice.browser.get(reverse("ui:agreement", args=[case.id])).content.decode()
    seen = {f"seen-{cells[4]}": "monocyte", f"seen-{cells[5]}": "monocyte"}
    assert alice.browser.post(confirm, seen).status_code == 409
    assert olga.browser.post(confirm, {}).status_code == 409
    assert olga.browser.post(confirm, seen | {"cell": str(cells[4])}).status_code == 302
    assert standing(case).open == 2
    assert alice.browser.post(take_back, {"cell": "x"}).status_code == 409
    assert alice.browser.post(take_back, {"cell": str(cells[5])}).status_code == 302
    assert olga.browser.post(confirm, seen | {"cell": str(cells[5])}).status_code == 409
    assert not Disagreement.objects.exclude(proposed_class="").exists()


def test_what_is_settled_or_agreed_on_is_not_settled_again(case, cells, reading, user, olga, ines, second):
    made = both(reading, second, cells, user, olga)
    settlement.settle(made, {cells[4]: "monocyte"}, by=of(ines))
    for cell in (cells[4], cells[0], 10**9):
        with pytest.raises(settlement.NotOpen):
            settlement.settle(made, {cells[5]: "monocyte", cell: "monocyte"}, by=of(ines))
    assert standing(case).open == 2
    Case.objects.filter(id=case.id).update(review=Review.SIGNED)
    with pytest.raises(ReviewOver):
        settlement.settle(made, {cells[5]: "monocyte"}, by=of(ines))


# --- who is told -----------------------------------------------------------------------------------


def test_who_is_asked_is_told_and_nothing_of_the_first_reading(alice, case, cells, user, olga, ines):
    def told():
        return set(Notification.objects.values_list("recipient__user", "kind"))

    tell_second_reader(SecondReaderAsked(alice.lab.id, case.id, of(olga).pk, user.pk))
    assert told() == {(of(olga).pk, Kind.SECOND_READER)}
    tell_second_reader(SecondReaderAsked(alice.lab.id, case.id, 0, of(ines).pk))
    assert told() == {(of(olga).pk, Kind.SECOND_READER)}  # who asks is not told; she knows already
    tell_second_reader(SecondReaderAsked(alice.lab.id, case.id, 0, user.pk))
    assert told() == {(of(one).pk, Kind.SECOND_READER) for one in (olga, ines)}
    assert set().union(*Notification.objects.values_list("facts", flat=True)) == {"named"}


def test_both_readers_are_told_that_they_were_compared(alice, case, cells, reading, user, olga, second):
    both(reading, second, cells, user, olga)
    tell_readers(ReadingsCompared(alice.lab.id, case.id, 3))
    found = Notification.objects.filter(kind=Kind.READINGS_COMPARED).values_list("recipient__user", flat=True)
    assert set(found) == {user.pk, of(olga).pk}


# --- what the blinded learn ------------------------------------------------------------------------


def test_no_address_tells_the_blinded_reader_of_the_first_reading(
    alice, case, cells, reading, user, olga, second
):
    decide(reading, cells, "basophil", by=user)
    made = olga.browser
    for page in ("case", "review", "checks", "agreement"):
        text = made.get(reverse(f"ui:{page}", args=[case.id])).content.decode()
        body = text.partition("<main")[2]
        assert "Alice" not in body.replace("by Alice", ""), page
        if page == "case":
            assert 'class="zero">\n        <th scope="row">Basophil' in body
    api = olga.api
    for path in ("", "readings/", "rules/", "agreements/", "second-reader/", "images/"):
        text = api.read(f"/cases/{case.id}/{path}").content.decode()
        assert '"basophil": 10' not in text
        assert str(reading.pk) not in [str(one.get("id")) for one in _rows(text)]
    for path in ("", "cells/", "changes/?since=0", "remarks/"):
        assert api.read(f"/readings/{reading.pk}/{path}").status_code == 404
    assert api.send(f"/readings/{reading.pk}/finish/").status_code == 404


def _rows(text):
    found = json.loads(text)
    return found if isinstance(found, list) else [found]


def test_the_whole_way_by_the_api(alice, case, cells, reading, user, olga, ines):
    with scope(lab=alice.lab):
        decide(reading, cells, "neutrophil", by=user)
    asked = {"reader": of(olga).pk}
    assert alice.api.send(f"/cases/{case.id}/second-reader/", asked).status_code == 403  # a technician
    assert ines.api.send(f"/cases/{case.id}/second-reader/", asked).status_code == 201
    assert ines.api.send(f"/cases/{case.id}/second-reader/", asked).json()["error"]["code"] == "asked_already"
    (row,) = olga.api.read(f"/cases/{case.id}/second-reader/").json()
    assert (row["reader"], row["state"], row["rule"]) == ("Olga", "asked", None)
    (mine,) = olga.api.read(f"/cases/{case.id}/readings/").json()
    finish_mine = f"/readings/{mine['id']}/finish/"
    assert olga.api.send(finish_mine).json()["error"]["code"] == "undecided"
    said = [{"cell": cell, "class": "neutrophil"} for cell in cells[1:]]
    said += [{"cell": cells[0], "class": "lymphocyte"}]
    body = {"gesture": str(case.id), "client": str(case.id), "base_revision": 0, "decisions": said}
    assert olga.api.send(f"/readings/{mine['id']}/decisions/", body).status_code == 200
    assert olga.api.send(finish_mine).status_code == 204
    assert olga.api.read(f"/cases/{case.id}/agreements/").json() == []
    assert alice.api.send(f"/readings/{reading.pk}/finish/").status_code == 204
    (found,) = alice.api.read(f"/cases/{case.id}/agreements/").json()
    assert (found["cells"], found["agreed"], found["kappa"]) == (10, 9, 0)
    assert [one["cell"] for one in found["disagreements"]] == [cells[0]]
    settle = f"/cases/{case.id}/agreements/{found['id']}/settle/"
    assert alice.api.send(settle, {"in_favour_of": "first"}).json()["error"]["code"] == "not_third"
    proposed = {"in_favour_of": "first", "together_with": of(olga).pk}
    (row,) = alice.api.send(settle, proposed).json()["disagreements"]
    assert (row["proposed_class"], row["proposed_by"], row["proposed_to"]) == ("neutrophil", "Alice", "Olga")
    confirm, take_back = (settle.replace("settle", name) for name in ("confirm", "take-back"))
    seen = {"cells": {str(cells[0]): "neutrophil"}}
    assert alice.api.send(confirm, seen).json()["error"]["code"] == "not_proposed"
    (row,) = olga.api.send(take_back, {"cells": [cells[0]]}).json()["disagreements"]
    assert (row["proposed_class"], row["settled_class"]) == ("", "")
    assert olga.api.send(confirm, seen).json()["error"]["code"] == "not_proposed"
    bad: object
    for bad in ({}, {"cells": {"x": "neutrophil"}}, {"cells": {}}, {"cells": {"1": "unicorn"}}):
        assert ines.api.send(settle, bad).status_code == 400
    answer = ines.api.send(settle, {"cells": {str(cells[0]): "lymphocyte"}})
    (settled,) = answer.json()["disagreements"]
    assert (settled["settled_class"], settled["how"], settled["settled_by"]) == (
        "lymphocyte",
        "third",
        "Ines",
    )
    assert ines.api.send(settle, {"cells": {str(cells[0]): "monocyte"}}).json()["error"]["code"] == "not_open"
