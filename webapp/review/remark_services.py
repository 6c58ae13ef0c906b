"""Remarks on a reading, and answers to rules that fired. Whoever calls has checked that the person may."""

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.cases.closing import ReviewOver
from webapp.cases.models import Case, Review
from webapp.cases.services import hold
from webapp.crypto.cipher import seal
from webapp.hematology.remarks import SUBJECTS, TERMS, WORDS, check
from webapp.patients.services import PatientErased
from webapp.review.models import Reading, Remark, RuleAnswer
from webapp.review.remarks import last_of
from webapp.review.services import COUNTED
from webapp.rules.models import Rule

WORDS_LENGTH = 500


class NoRemark(Exception):
    """There is no such remark to be taken back."""

    def __str__(self) -> str:
        return _("Nobody remarked this, or it was taken back already.")


@transaction.atomic
def make_remark(
    reading: Reading, *, subject: str, term: str, by: User, grade: str = "", words: str = ""
) -> Remark:
    """Remark something in a reading, in the place of what was remarked of that term before.

    Raises:
        InvalidRemark, ReviewOver
        PatientErased: there are words, and nothing can be written of the patient any more.
    """
    check(subject, term, grade)
    _hold(reading)
    if reading.kind in COUNTED and reading.case.review == Review.OPEN:
        Case.objects.filter(id=reading.case_id).update(review=Review.IN_REVIEW)
    return _append(reading, Remark(subject=subject, term=term, grade=grade), words, by, Action.REMARK_MADE)


@transaction.atomic
def take_back(reading: Reading, *, subject: str, term: str, by: User) -> Remark:
    """Let a remark stand no more.

    Raises:
        NoRemark, ReviewOver
    """
    _hold(reading)
    last = last_of(reading, subject, term)
    if last is None or last.is_taken_back:
        raise NoRemark
    row = Remark(subject=subject, term=term, grade="", is_taken_back=True)
    return _append(reading, row, "", by, Action.REMARK_TAKEN_BACK)


def answer_rule(reading: Reading, rule: Rule, answer: RuleAnswer.Answer, *, by: User) -> RuleAnswer:
    """Keep what somebody says to a rule that fired. The reading is held.

    Raises:
        ReviewOver
    """
    _hold(reading)
    made = RuleAnswer.objects.create(
        lab_id=reading.lab_id, reading=reading, revision=reading.revision, rule=rule, answer=answer, by=by
    )
    _record(Action.RULE_ANSWERED, reading, rule=rule.name, answer=RuleAnswer.Answer(answer).label)
    return made


def _hold(reading: Reading) -> None:
    """Have the reading with its case as they are now, until the transaction ends."""
    reading.case = hold(reading.case)
    reading.refresh_from_db(fields=["revision", "finished_at"])
    if reading.is_over:
        raise ReviewOver


def _append(reading: Reading, row: Remark, words: str, by: User, action: Action) -> Remark:
    last = Remark.objects.filter(reading=reading).aggregate(last=Max("number"))["last"] or 0
    row.lab_id, row.reading, row.number, row.by = reading.lab_id, reading, last + 1, by
    patient = reading.case.patient
    if patient is None or patient.erased_at is None:
        row.words = words
    elif words:
        raise PatientErased
    else:
        row.words = seal("", Remark._meta.get_field("words").place(row))
    row.save(force_insert=True)
    _record(action, reading, term=SUBJECTS[row.subject] if row.term == WORDS else TERMS[row.term].name)
    return row


def _record(action: Action, reading: Reading, **after: object) -> None:
    case = reading.case
    record(
        action,
        lab=case.lab_id,
        subject=case.accession,
        subject_id=f"case {case.id}",
        after={"reading": reading.pk, **after},
    )
