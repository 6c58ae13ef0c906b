"""A lab's rules on a case: which fired, what each asks for, and whether that was done.

Whoever signs sees the case, so a rule that asks for a pathologist is met by them; before, by somebody who
may sign and said that they saw it. An answer is to one version of one rule: another is asked anew.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webapp.accounts.models import User
from webapp.cases.models import Case, Review
from webapp.cases.specimens import AnalyserCount
from webapp.hematology.remarks import WORDS
from webapp.results.interpretation import Interpretation, basis_of, interpret
from webapp.review import remark_services, second_readers
from webapp.review.differentials import differentials
from webapp.review.models import Agreement, Reading, RuleAnswer
from webapp.review.remarks import last_of
from webapp.review.second_readers import Standing, standing
from webapp.review.selectors import counts_of
from webapp.rules import selectors
from webapp.rules.conditions import Condition, Quantity, Then
from webapp.rules.evaluation import Facts, hold
from webapp.rules.models import Rule

TRIED_ON = 200
TRIED_SECONDS = 5.0
"""A rule is tried on as many of the last cases as are worked through in this time."""
Answer = RuleAnswer.Answer
_ANSWERS = {Then.MUST_SEE: (Answer.SEEN,), Then.REMARK: (Answer.TAKEN, Answer.DECLINED)}


class NotFired(Exception):
    """The rule does not ask that of this case now."""

    def __str__(self) -> str:
        return _("This rule does not ask for that on this case, or does not any more. Look at it again.")


@dataclass(frozen=True)
class Fired:
    """A rule whose conditions hold of a case. `answer`: the last that somebody gave it."""

    rule: Rule
    sentence: str
    answer: RuleAnswer | None
    is_met: bool


@dataclass(frozen=True)
class Unmet:
    """What a case waits for. `rule`: that asks for it; None where people did. `kind`: a `Then`, or
    `disagreement`."""

    rule: Rule | None
    sentence: str
    kind: str


def interpreted(reading: Reading) -> Interpretation:
    """What a reading's decided cells come to."""
    case = reading.case
    return interpret(case, differentials(counts_of(case, reading), reading.lab).reviewed)


def fired(
    case: Case,
    reading: Reading,
    interpretation: Interpretation,
    *,
    by_signer: bool = False,
    second: Standing | None = None,
) -> list[Fired]:
    """The accepted rules whose conditions hold.

    Args:
        by_signer: for somebody who is about to sign, and so sees the case.
        second: how far the second reading is, where that is known.
    """
    found = fired_rules(case, interpretation)
    if not found:
        return []
    answers = _answers(reading, found)
    is_read = (second or standing(case)).is_done if _has(found, Then.SECOND_READER) else False
    made = []
    for rule in found:
        answer = answers.get(rule.pk)
        is_met = {
            Then.MUST_SEE: by_signer or answer is not None,
            Then.SECOND_READER: is_read,
            Then.REMARK: answer is not None,
        }[Then(rule.then)]
        made.append(Fired(rule, rule.sentence, answer, is_met))
    return made


def fired_rules(case: Case, interpretation: Interpretation) -> list[Rule]:
    accepted = selectors.accepted()
    if not accepted:
        return []
    asked = {condition.quantity for rule in accepted for condition in rule.conditions}
    return selectors.fired(accepted, facts_of(case, interpretation, asked))


def unmet(
    case: Case, reading: Reading, interpretation: Interpretation, *, by_signer: bool = False
) -> list[Unmet]:
    """What rules and second readers keep a case from being signed for."""
    second = standing(case)
    rules = fired(case, reading, interpretation, by_signer=by_signer, second=second)
    found = [Unmet(one.rule, one.sentence, one.rule.then) for one in rules if not one.is_met]
    if second.waiting:
        text = _("A second reader was asked for and has not finished.")
        found.append(Unmet(None, text, Then.SECOND_READER))
    if second.finished:
        text = _("The second reader has finished; the first reading is not finished yet.")
        found.append(Unmet(None, text, Then.SECOND_READER))
    if second.open:
        text = ngettext(
            "First and second reading differ on %(n)s cell that nobody settled.",
            "First and second reading differ on %(n)s cells that nobody settled.",
            second.open,
        )
        found.append(Unmet(None, text % {"n": second.open}, "disagreement"))
    return found


@transaction.atomic
def answer(reading: Reading, rule: Rule, said: RuleAnswer.Answer, *, by: User) -> RuleAnswer:
    """Say that one saw the case, or take a remark that a rule proposes, or leave it.

    Raises:
        NotFired: the rule does not ask for this of the case.
        ReviewOver
        PatientErased: there is nobody any more of whom a remark could be written.
    """
    made = remark_services.answer_rule(reading, rule, said, by=by)  # from here on the case stays as it is
    if said not in _ANSWERS.get(Then(rule.then), ()) or rule not in fired_rules(
        reading.case, interpreted(reading)
    ):
        raise NotFired
    if said == Answer.TAKEN:
        before = last_of(reading, "general", WORDS)
        words = "" if before is None or before.is_taken_back else before.words
        if rule.remark not in words:
            remark_services.make_remark(
                reading, subject="general", term=WORDS, words=f"{words} {rule.remark}".strip(), by=by
            )
    return made


@transaction.atomic
def finish(reading: Reading, *, by: User) -> list[Agreement]:
    """Say that a reading is done. A rule that asks for a second reader of what it found asks for one.

    Raises:
        ReviewOver, Undecided
    """
    was_finished = reading.finished_at is not None
    compared = second_readers.finish(reading, by=by)
    if reading.kind != Reading.Kind.FIRST or was_finished or compared:
        return compared
    now = standing(reading.case)
    if now.waiting or now.agreement or now.finished:
        return compared
    rules = fired_rules(reading.case, interpreted(reading))
    rule = next((rule for rule in rules if rule.then == Then.SECOND_READER), None)
    if rule is not None:
        second_readers.ask(reading.case, by=by, rule=rule)
    return compared


@dataclass(frozen=True)
class Tried:
    """What a rule would have caught: how many of how many cases, the last that people reviewed."""

    cases: int
    caught: int


def try_out(conditions: Sequence[Condition]) -> Tried:
    """How many of the lab's last cases the conditions hold of, without saying of which."""
    asked = {condition.quantity for condition in conditions}
    readings = (
        Reading.objects.filter(kind=Reading.Kind.FIRST, revision__gt=0)
        .exclude(case__review__in=(Review.OPEN, Review.VOID))
        .select_related("case__lab", "lab")
        .order_by("-case__created_at")[:TRIED_ON]
    )
    until = time.monotonic() + TRIED_SECONDS
    cases = caught = 0
    for reading in readings:
        if time.monotonic() > until:
            break
        cases += 1
        caught += hold(conditions, facts_of(reading.case, interpreted(reading), asked))
    return Tried(cases, caught)


def facts_of(case: Case, interpretation: Interpretation, asked: Iterable[Quantity]) -> Facts:
    """What is known of a case: of whom it is only as far as it is `asked`. A class that others are part of is
    the total."""
    asked = set(asked)
    rows = [row for code in {row.code for row in interpretation.rows} if (row := interpretation.of(code))]
    shares = {row.code: Decimal(str(row.row.percent)) for row in rows if row.row.percent is not None}
    white = {row.code for row in rows if row.row.cell_class.in_wbc}
    analyser = AnalyserCount.objects.filter(case=case).first() if asked & _OF_ANALYSER else None
    basis = basis_of(case) if asked & _OF_PATIENT else None
    return Facts(
        percent={code: share for code, share in shares.items() if code in white},
        absolute={row.code: row.absolute for row in rows if row.absolute is not None},
        per_100={code: share for code, share in shares.items() if code not in white},
        count={row.code: row.row.count for row in rows},
        flags={row.code: [flag.value for flag in row.flags] for row in rows},
        age_days=basis.age if basis and basis.age is not None and basis.age >= 0 else None,
        sex=(basis.sex or "") if basis else "",
        wbc=analyser.wbc if analyser else None,
        haemoglobin=analyser.haemoglobin if analyser else None,
        platelets=analyser.platelets if analyser else None,
        is_first_result=_is_first(case) if Quantity.FIRST_RESULT in asked else None,
    )


_OF_ANALYSER = {Quantity.WBC, Quantity.HAEMOGLOBIN, Quantity.PLATELETS}
_OF_PATIENT = {Quantity.AGE_DAYS, Quantity.SEX}


def _is_first(case: Case) -> bool | None:
    """None where it is not known whose the case is."""
    if case.patient_id is None:
        return None
    signed = Case.objects.filter(patient=case.patient_id, review__in=(Review.SIGNED, Review.AMENDED))
    return not signed.exclude(pk=case.pk).exists()


def _answers(reading: Reading, rules: Sequence[Rule]) -> dict[object, RuleAnswer]:
    """The last to each of `rules`."""
    found = RuleAnswer.objects.filter(reading=reading, rule__in=rules).order_by("at")
    return {row.rule_id: row for row in found.select_related("by")}


def _has(rules: Sequence[Rule], then: Then) -> bool:
    return any(rule.then == then for rule in rules)
