"""Rules on a case: which fire, what meets them, and what a case waits for; on a real database."""

from datetime import date

import pytest
from django.urls import reverse
from django_scopes import scope

from tests.support.pages import add_cells, cell_of, plain_static, queries
from tests.support.people import person
from tests.support.review import decide
from webapp.cases.closing import ReviewOver
from webapp.cases.models import AnalyserCount, Case, Review
from webapp.cases.services import change_identifiers
from webapp.labs.permissions import Role
from webapp.results import rules
from webapp.results.rules import NotFired, answer, finish, fired, interpreted, try_out, unmet
from webapp.review import remarks, settlement
from webapp.review.models import Reading, RuleAnswer
from webapp.review.second_readers import standing
from webapp.review.services import open_reading
from webapp.rules import services
from webapp.rules.conditions import Then, read_all
from webapp.rules.services import Draft

__all__ = ["plain_static"]
pytestmark = pytest.mark.usefixtures("fresh_rates", "plain_static")
Answer = RuleAnswer.Answer


def when(quantity, op, value, code=""):
    return {"quantity": quantity, "op": op, "value": value, "class": code}


BLAST = when("count", ">", "0", "blast")


@pytest.fixture
def case(alice):
    with scope(lab=alice.lab):
        yield alice.case()


@pytest.fixture
def user(alice):
    return alice.membership.user


@pytest.fixture
def olga(alice, case):
    return person(alice.lab, "Olga", Role.PATHOLOGIST)


@pytest.fixture
def cells(alice, case):
    return [cell_of(image).id for image in add_cells(alice, case, "neutrophil", *[0.9] * 10)]


@pytest.fixture
def reading(case, cells, user):
    made = open_reading(case, Reading.Kind.FIRST, reader=user)
    decide(made, cells[1:], "neutrophil", by=user)
    decide(made, cells[:1], "blast", by=user)
    return made


@pytest.fixture
def accepted(alice, case, user):
    def make(*conditions, then=Then.MUST_SEE, remark="", name="Rule"):
        rule = services.add(alice.lab, Draft(name, read_all(conditions), then, remark), by=user)
        return services.accept(rule, by=user)

    return make


def fired_in(reading):
    return [one.rule for one in fired(reading.case, reading, interpreted(reading))]


def unmet_in(reading, **how):
    return [(one.rule, one.kind) for one in unmet(reading.case, reading, interpreted(reading), **how)]


def test_only_accepted_rules_fire(alice, reading, accepted, user):
    on = accepted(BLAST)
    services.add(alice.lab, Draft("Off", read_all([BLAST]), Then.MUST_SEE), by=user)
    accepted(when("count", ">", "1", "blast"))
    assert fired_in(reading) == [on]


@pytest.mark.parametrize(
    ("conditions", "fires"),
    [
        ([when("percent", ">=", "10", "blast"), when("percent", "<=", "90", "neutrophil")], True),
        ([when("percent", ">", "10", "blast")], False),
        ([when("absolute", "<", "1.9", "neutrophil")], True),  # 2.0 × 90 % = 1.8
        ([when("absolute", "<", "1.8", "neutrophil")], False),
        ([when("flag", "is", "A", "blast")], True),
        ([when("flag", "is", "A", "any")], True),
        ([when("flag", "is", "LL", "any")], False),
        ([when("wbc", "<", "2.5"), when("haemoglobin", ">=", "88"), when("platelets", "<=", "40")], True),
        ([when("sex", "is", "female")], True),
        ([when("sex", "is", "male")], False),
        ([when("age_days", "<", "36525")], True),
        ([when("first_result", "is", "yes")], True),
    ],
)
def test_what_is_known_of_a_case(alice, case, reading, accepted, user, conditions, fires):
    change_identifiers(case, {"mrn": "42", "birth_date": date(1990, 5, 1), "sex": "female"})
    values = {"wbc": "2.0", "haemoglobin": "88", "platelets": "40", "entered_by": user}
    AnalyserCount.objects.create(case=case, lab=alice.lab, **values)
    reading = Reading.objects.select_related("case__lab", "lab").get(pk=reading.pk)
    rule = accepted(*conditions)
    assert fired_in(reading) == ([rule] if fires else [])


def test_what_is_not_known_fires_nothing(reading, accepted):
    accepted(when("age_days", ">=", "0"))
    accepted(when("absolute", ">=", "0", "neutrophil"))
    accepted(when("first_result", "is", "yes"))
    assert fired_in(reading) == []


def test_a_patient_with_a_signed_result_has_a_first_one(alice, case, reading, accepted):
    change_identifiers(case, {"mrn": "42"})
    rule = accepted(when("first_result", "is", "yes"))
    reading = Reading.objects.select_related("case__lab", "lab").get(pk=reading.pk)
    assert fired_in(reading) == [rule]
    other = alice.case("A-2")
    change_identifiers(other, {"mrn": "42"})
    Case.objects.filter(id=other.id).update(review=Review.SIGNED)
    assert fired_in(reading) == []


def test_a_pathologist_who_saw_it_or_signs_meets_a_rule(reading, accepted, olga):
    rule = accepted(BLAST)
    assert unmet_in(reading) == [(rule, "must_see")]
    assert unmet_in(reading, by_signer=True) == []
    with pytest.raises(NotFired):
        answer(reading, rule, Answer.TAKEN, by=olga.membership.user)
    answer(reading, rule, Answer.SEEN, by=olga.membership.user)
    assert unmet_in(reading) == []
    # A new version is another rule.
    changed = services.change(rule, Draft("Rule", read_all([BLAST, BLAST]), Then.MUST_SEE), by=rule.made_by)
    services.accept(changed, by=rule.made_by)
    assert unmet_in(reading) == [(changed, "must_see")]


def test_a_rule_that_does_not_fire_is_not_answered(reading, accepted, cells, user, olga):
    rule = accepted(BLAST)
    decide(reading, cells[:1], "neutrophil", by=user)
    with pytest.raises(NotFired):
        answer(reading, rule, Answer.SEEN, by=olga.membership.user)
    assert not RuleAnswer.objects.exists()
    Case.objects.filter(id=reading.case_id).update(review=Review.SIGNED)
    with pytest.raises(ReviewOver):
        answer(reading, rule, Answer.SEEN, by=olga.membership.user)


@pytest.mark.parametrize("said", [Answer.TAKEN, Answer.DECLINED])
def test_a_remark_that_is_proposed_is_taken_or_left(reading, accepted, user, said):
    rule = accepted(BLAST, then=Then.REMARK, remark="A blast was seen.")
    assert unmet_in(reading, by_signer=True) == [(rule, "remark")]
    answer(reading, rule, said, by=user)
    assert unmet_in(reading) == []
    words = [one.words for one in remarks.standing(reading, texts=True)]
    assert words == (["A blast was seen."] if said == Answer.TAKEN else [])


def test_finishing_the_first_reading_asks_for_the_second_reader_of_a_rule(reading, accepted, user, olga):
    rule = accepted(BLAST, then=Then.SECOND_READER)
    assert unmet_in(reading) == [(rule, "second_reader")]
    finish(reading, by=user)
    (waiting,) = standing(reading.case).waiting
    assert (waiting.rule, waiting.asked) == (rule, None)
    assert unmet_in(reading) == [(rule, "second_reader"), (None, "second_reader")]
    second = open_reading(reading.case, Reading.Kind.SECOND, reader=olga.membership.user, blinded=True)
    reads = list(reading.states.values_list("cell_id", "cell_class"))
    for cell, code in reads:
        decide(second, [cell], "lymphocyte" if code == "blast" else code, by=olga.membership.user)
    assert len(finish(second, by=olga.membership.user)) == 1
    assert unmet_in(reading) == [(rule, "second_reader"), (None, "disagreement")]
    made = standing(reading.case).agreement
    assert made is not None
    wanted = settlement.in_favour_of(made, "first")
    settlement.propose(made, wanted, by=user, to=olga.membership.user)
    settlement.confirm(made, wanted, by=olga.membership.user)
    assert unmet_in(reading) == []


def test_without_such_a_rule_nobody_is_asked(reading, accepted, user):
    accepted(BLAST)
    finish(reading, by=user)
    assert not standing(reading.case).waiting


def test_trying_counts_and_keeps_nothing(alice, case, reading, user):
    for number in range(3):
        other = alice.case(f"B-{number}")
        (image,) = add_cells(alice, other, "neutrophil", 0.9)
        if number:
            first = open_reading(other, Reading.Kind.FIRST, reader=user)
            decide(first, [cell_of(image).id], "neutrophil", by=user)
    tried = try_out(read_all([BLAST]))
    assert (tried.cases, tried.caught) == (3, 1)  # one was not reviewed


def test_trying_stops_after_its_time(reading, monkeypatch):
    monkeypatch.setattr(rules, "TRIED_SECONDS", -1.0)
    assert try_out(read_all([BLAST])) == rules.Tried(0, 0)


def test_more_rules_cost_no_more_queries(reading, accepted, django_assert_num_queries, olga):
    page = reverse("ui:checks", args=[reading.case_id])
    accepted(BLAST)
    browser = olga.browser
    browser.get(page)
    few = queries(browser, page)
    for number in range(6):
        accepted(BLAST, then=Then.REMARK, remark=f"Remark {number}", name=f"R{number}")
    assert queries(browser, page) == few


def test_seen_is_said_by_who_may_sign(alice, case, reading, accepted, olga):
    rule = accepted(BLAST)
    path = f"/cases/{case.id}/rules/{rule.id}/answer/"
    assert alice.api.send(path, {"answer": "seen"}).status_code == 403
    page = reverse("ui:rule-answer", args=[case.id, rule.id])
    assert alice.browser.post(page, {"answer": "seen"}).status_code == 403
    (found,) = olga.api.send(path, {"answer": "seen"}).json()
    assert (found["is_met"], found["answered_by"]) == (True, "Olga")
    assert olga.api.send(path, {"answer": "taken"}).json()["error"]["code"] == "not_fired"


def test_the_page_says_what_fired_and_takes_the_answer(case, reading, accepted, olga):
    rule = accepted(BLAST)
    page = reverse("ui:checks", args=[case.id])
    text = olga.browser.get(page).content.decode()
    assert "If Blast, cells counted, &gt; 0, then a pathologist must see the case." in text
    assert "I have seen it" in text
    done = olga.browser.post(
        reverse("ui:rule-answer", args=[case.id, rule.id]), {"answer": "seen"}, follow=True
    )
    assert "I have seen it" not in done.content.decode()


def test_who_is_asked_by_a_rule_does_not_learn_which(case, reading, accepted, user, olga):
    accepted(BLAST, then=Then.SECOND_READER, name="Blasts found")
    finish(reading, by=user)
    open_reading(case, Reading.Kind.SECOND, reader=olga.membership.user, blinded=True)
    text = olga.browser.get(reverse("ui:checks", args=[case.id])).content.decode()
    assert "Blasts found" not in text
    assert olga.api.read(f"/cases/{case.id}/second-reader/").json()[0]["rule"] is None
