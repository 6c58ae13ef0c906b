"""What becomes of a result after it was signed: nothing of it is changed, and everything is in the open.

Who amends opens the case again; the version that was signed stays until the next one is. Who makes a result
void says that it is nobody's.
"""

from django.db import transaction
from django.db.models import F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.cases import processing
from webapp.cases.models import Case
from webapp.cases.services import hold
from webapp.labs.authorization import may
from webapp.labs.models import Membership
from webapp.labs.permissions import Permission
from webapp.outbox.events import CaseAmended, CaseVoided, publish
from webapp.patients.services import PatientErased
from webapp.results import readiness
from webapp.results.document import draft
from webapp.results.models import Result, Step
from webapp.results.rules import interpreted
from webapp.results.states import settle
from webapp.review.models import CellState, Decision

REASON_LENGTH = 500
ACTIONS = {
    Step.Kind.AMEND: Action.RESULT_AMENDED,
    Step.Kind.WITHDRAW: Action.AMENDMENT_WITHDRAWN,
    Step.Kind.VOID: Action.RESULT_VOIDED,
}
_COMPARED = ("specimen", "analyser", "slides", "files", "remarks", "others")
"""Parts of a document that people may change while it is amended; who the patient is, they always may."""
Status = Result.Status


class AmendingFails(Exception):
    """Nothing was done; the message says why."""

    code = "not_amended"


class NotSigned(AmendingFails):
    """There is nothing to amend or to make void."""

    code = "not_signed"

    def __str__(self) -> str:
        return _("This case has no signed result.")


class AmendedAlready(AmendingFails):
    """Somebody else was sooner."""

    code = "amended_already"

    def __str__(self) -> str:
        return _("This result is being amended already, or another version was signed. Look again.")


class NotAmended(AmendingFails):
    """There is nothing to withdraw."""

    code = "not_being_amended"

    def __str__(self) -> str:
        return _("This result is not being amended.")


class VoidAlready(AmendingFails):
    """It is nobody's."""

    code = "void_already"

    def __str__(self) -> str:
        return _("This result is void. It stays so: open a new case.")


class ChangedSince(AmendingFails):
    """What was signed is not what the case says now."""

    code = "changed_since"

    def __str__(self) -> str:
        return _(
            "The case was changed since it was opened again. Undo these changes, or sign the next version."
        )


class NoReason(AmendingFails):
    """Nobody said why."""

    code = "no_reason"

    def __str__(self) -> str:
        return _("Say why.")


class MayNotAmend(AmendingFails):
    """They could a moment ago."""

    code = "permission_denied"

    def __str__(self) -> str:
        return _("Your role in this lab does not allow this any more. Nothing was done.")


@transaction.atomic
def amend(case: Case, membership: Membership, *, version: int, reason: str) -> Step:
    """Open a signed case again, to be corrected.

    Args:
        version: of the result that they look at.

    Raises:
        AmendingFails: see there.
        PatientErased: nothing can be written of the patient any more.
    """
    case, result = _held(case, membership, version)
    if result.status not in (Status.FINAL, Status.AWAITING):
        raise AmendedAlready
    step = _step(case, result, Step.Kind.AMEND, membership, reason)
    publish(CaseAmended(case.lab_id, case.id, result.id, result.version))
    return step


@transaction.atomic
def withdraw(case: Case, membership: Membership, *, version: int) -> Step:
    """Leave a result as it was signed after all. The case is as it was: nothing was decided otherwise.

    Raises:
        ChangedSince: something was.
        AmendingFails: see there.
    """
    case, result = _held(case, membership, version)
    if result.status != Status.AMENDING:
        raise NotAmended
    if _is_changed(case, result):
        raise ChangedSince
    step = _step(case, result, Step.Kind.WITHDRAW, membership)
    readiness.forget(case)
    return step


@transaction.atomic
def void(case: Case, membership: Membership, *, version: int, reason: str) -> Step:
    """Say that the result is nobody's, all its versions with it: it was made of the wrong patient.

    Raises:
        AmendingFails, PatientErased: see there.
    """
    case, result = _held(case, membership, version)
    step = _step(case, result, Step.Kind.VOID, membership, reason)
    readiness.forget(case)
    publish(CaseVoided(case.lab_id, case.id))
    return step


def _held(case: Case, membership: Membership, version: int) -> tuple[Case, Result]:
    """The case, held, with its last result, which is the one that was looked at."""
    processing.lock(case.id)
    case = hold(case)
    rows = Membership.objects.select_for_update(no_key=True, of=("self",)).select_related("user", "lab")
    member = rows.filter(id=membership.id).first()
    if member is None or not member.user.is_active or not may(member, Permission.AMEND):
        raise MayNotAmend
    result = Result.objects.filter(case=case).order_by("-version").first()
    if result is None:
        raise NotSigned
    result.case = case
    if result.status == Status.VOID:
        raise VoidAlready
    if result.version != version:
        raise AmendedAlready
    return case, result


def _step(
    case: Case, result: Result, kind: Step.Kind, membership: Membership, reason: str | None = None
) -> Step:
    if reason is not None and not reason:
        raise NoReason
    if case.patient and case.patient.erased_at:
        raise PatientErased
    step = Step(
        lab_id=case.lab_id,
        result=result,
        kind=kind,
        by=membership.user,
        at=timezone.now(),
        reason=reason or "",
    )
    step.save(force_insert=True)
    settle(case)
    record(
        ACTIONS[kind],
        lab=case.lab_id,
        subject=case.accession,
        subject_id=f"case {case.id}",
        after=on_record(step),
    )
    return step


def on_record(step: Step) -> dict[str, object]:
    """What the audit trail keeps of a step: not why, which may say something of the patient."""
    result = step.result
    return {
        "result": str(result.id),
        "version": result.version,
        "sha256": result.digest,
        "step": str(step.id),
        "by": step.by_id,
        "at": step.at.isoformat(),
    }


def _is_changed(case: Case, result: Result) -> bool:
    reading = result.reading
    reading.case = case
    if is_decided_otherwise(result):
        return True
    now = draft(reading, interpreted(reading)).values
    before = result.values
    return any(now.get(part) != before.get(part) for part in _COMPARED)


def is_decided_otherwise(result: Result) -> bool:
    """Whether a cell is of another class than when it was signed."""
    reading = result.reading_id
    before = Decision.objects.filter(
        reading=reading, cell=OuterRef("cell"), number__lte=result.revision
    ).order_by("-number")
    now = CellState.objects.filter(reading=reading, number__gt=result.revision)
    now = now.annotate(before=Coalesce(Subquery(before.values("cell_class")[:1]), Value("")))
    return now.exclude(before=F("cell_class")).exists()
