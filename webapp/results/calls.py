"""Telling somebody of critical results: from the signature until they were told and read it back.

Each version of a result with critical values asks for a call of its own. It ends when somebody was told and
read the values back, when the next version is signed, when the result is void, or when the patient is erased.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django_scopes import scope, scopes_disabled

from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.cases.disclosure import text_shown
from webapp.cases.models import Case
from webapp.cases.services import hold
from webapp.crypto.cipher import Erased, Unreadable
from webapp.hematology.flags import CRITICAL
from webapp.labs.models import Lab
from webapp.language.sentences import as_written
from webapp.outbox.events import CallOverdue, publish
from webapp.patients.services import PatientErased
from webapp.results.models import CallEntry, CriticalCall, Result

WHOM_LENGTH, CONTACT_LENGTH = 200, 200
AT_ONCE = 500  # calls that people are told of in one transaction
CLOCKS_DIFFER = timedelta(minutes=2)  # by which a time that somebody gives, to the minute, may differ
Ending, Outcome = CriticalCall.Ending, CallEntry.Outcome


class CallFails(Exception):
    """Nothing was written; the message says why."""

    code = "call_not_logged"


class CallEnded(CallFails):
    """Nobody is to be called any more."""

    code = "call_ended"

    def __str__(self) -> str:
        return _("This call has ended already. Nothing was written.")


class WrongTime(CallFails):
    """It cannot have been then."""

    code = "wrong_time"

    def __str__(self) -> str:
        return _("Give a time between the signature of the result and now.")


@dataclass(frozen=True)
class Critical:
    """A critical value of a result, as its document has it."""

    cell_class: str
    count: int
    percent: Decimal | None
    absolute: Decimal | None
    flags: tuple[str, ...]


def critical_values(result: Result) -> list[Critical]:
    """The critical values of a signed version.

    Raises:
        Unreadable: they cannot be decrypted any more.
    """
    rows = result.values["rows"]
    return [
        Critical(
            cell_class=row["class"],
            count=row["count"],
            percent=_decimal(row["percent"]),
            absolute=_decimal(row["absolute"]),
            flags=tuple(row["flags"]),
        )
        for row in rows
        if CRITICAL.intersection(row["flags"])
    ]


# --- what becomes due, and ends -----------------------------------------------------------------------------


@transaction.atomic
def note_signed(case: Case, result_id: Any) -> CriticalCall | None:
    """A version has all its signatures: somebody must be told where it is critical; of one before, nobody
    any more.

    Said twice, it is done once.
    """
    hold(case)
    results = Result.objects.select_related("case__patient__key", "case__lab")
    result = results.get(id=result_id)
    _end(CriticalCall.objects.filter(case=case, result__version__lt=result.version), Ending.AMENDED)
    if result.status not in (Result.Status.FINAL, Result.Status.AMENDING):
        return None  # it was void, or the next one signed, before this was heard
    try:
        is_critical = bool(critical_values(result))
    except Erased:
        return None  # nobody is to be told of whom nothing is known
    if not is_critical:
        return None
    since = result.signatures.aggregate(at=Max("at"))["at"]
    minutes = result.case.lab.critical_call_minutes
    call, _made = CriticalCall.objects.get_or_create(
        result=result,
        defaults={
            "lab_id": result.lab_id,
            "case_id": result.case_id,
            "since": since,
            "due_at": None if minutes is None else since + timedelta(minutes=minutes),
        },
    )
    return call


@transaction.atomic
def note_void(case: Case) -> None:
    """The case's result is nobody's: nobody is to be told of it."""
    hold(case)
    _end(CriticalCall.objects.filter(case=case), Ending.VOID)


@transaction.atomic
def note_erased(patient_id: UUID) -> None:
    """Nothing is known of the patient any more, so nobody can be told, nor can it be written down."""
    found = CriticalCall.objects.filter(case__patient=patient_id, case__patient__erased_at__isnull=False)
    _end(found, Ending.ERASED)


def _end(calls: "QuerySet[CriticalCall]", ending: str) -> None:
    calls.filter(ended_at=None).update(ended_at=timezone.now(), ending=ending)


# --- the log ------------------------------------------------------------------------------------------------


@transaction.atomic
def log(
    call: CriticalCall, *, by: User, outcome: str, at: datetime, whom: str, contact: str = ""
) -> CallEntry:
    """Write down that somebody called. Who was told and read it back ends the call.

    Args:
        whom: was called, also where nobody was reached.
        contact: their role, or the number that was called.

    Raises:
        CallEnded: somebody else has told them, or nobody is to be told any more.
        WrongTime: it cannot have been then.
        PatientErased: nothing can be written of the patient any more.
    """
    case = hold(Case(id=call.case_id))
    current = CriticalCall.objects.select_for_update(no_key=True).get(id=call.id)
    if not current.is_open:
        raise CallEnded
    if case.patient and case.patient.erased_at:
        raise PatientErased
    if not current.since - CLOCKS_DIFFER <= at <= timezone.now() + CLOCKS_DIFFER:
        raise WrongTime
    result = Result.objects.only("id", "lab_id", "case_id", "version").get(id=current.result_id)
    result.case, current.result = case, result
    entry = CallEntry(
        lab_id=case.lab_id, call=current, outcome=outcome, at=at, whom=whom, contact=contact, by=by
    )
    entry.save(force_insert=True)
    if outcome == Outcome.READ_BACK:
        _end(CriticalCall.objects.filter(id=current.id), Ending.DONE)
    record(
        Action.CALL_LOGGED,
        lab=case.lab_id,
        subject=case.accession,
        subject_id=f"case {case.id}",
        after={
            "call": str(current.id),
            "entry": str(entry.id),
            "version": result.version,
            "outcome": as_written(Outcome(outcome).label).lower(),
            "at": at.isoformat(),
        },
    )
    return entry


# --- who looks ----------------------------------------------------------------------------------------------


def calls() -> "QuerySet[CriticalCall]":
    """The lab's, with what their values are read by."""
    return CriticalCall.objects.select_related("result__case__patient__key", "case")


def open_calls() -> "QuerySet[CriticalCall]":
    """Those of whom somebody is still to be told, longest due first."""
    return calls().filter(ended_at=None).order_by("since", "id")


def ended_calls() -> "QuerySet[CriticalCall]":
    """Latest first."""
    return calls().filter(ended_at__isnull=False).order_by("-since", "-id")


def open_call_of(case: Case) -> CriticalCall | None:
    return CriticalCall.objects.filter(case=case, ended_at=None).order_by("-since").first()


def overdue(found: "QuerySet[CriticalCall]") -> "QuerySet[CriticalCall]":
    return found.filter(ended_at=None, due_at__lt=timezone.now())


@dataclass(frozen=True, repr=False)
class Said:
    """An entry to be shown. It has no `repr`, for it names people.

    Attributes:
        whom, contact: None: they are not to be shown, or cannot be read any more.
    """

    entry: CallEntry
    whom: str | None
    contact: str | None


def entries_shown(case: Case, found: Iterable[CriticalCall], *, texts: bool) -> dict[Any, list[Said]]:
    """What was written down of calls of one case, by call, to be shown: whom, too, or not. That this was
    shown is recorded."""
    ids = [call.id for call in found]
    rows = CallEntry.objects.filter(call__in=ids).select_related("by", "call__result__case__patient__key")
    by_call: dict[Any, list[Said]] = {call_id: [] for call_id in ids}
    is_said = False
    for entry in rows:
        whom = contact = None
        if texts:
            try:
                whom, contact = entry.whom, entry.contact
                is_said = True
            except Unreadable:
                whom = contact = None
        by_call[entry.call_id].append(Said(entry, whom, contact))
    if is_said:
        text_shown({case.id: case.accession})
    return by_call


# --- what is overdue ----------------------------------------------------------------------------------------


def find_overdue() -> int:
    """Tell, once each, of the calls that are overdue; returns how many they were. Over all labs."""
    found = 0
    while some := _find_some():
        found += some
    return found


@transaction.atomic
def _find_some() -> int:
    now = timezone.now()
    with scopes_disabled():
        due = CriticalCall.objects.filter(Q(due_at__lt=now), ended_at=None, told_at=None)
        rows = due.select_for_update(no_key=True, skip_locked=True, of=("self",)).order_by("due_at")
        some = list(rows.values_list("id", "lab_id", "case_id")[:AT_ONCE])
        CriticalCall.objects.filter(id__in=[one for one, _lab, _case in some]).update(told_at=now)
    for call, lab, case in some:
        with scope(lab=lab):
            publish(CallOverdue(lab, case, call))
    return len(some)


# --- the lab's limit ----------------------------------------------------------------------------------------


@transaction.atomic
def change_limit(lab: Lab, minutes: int | None) -> None:
    """Set in how many minutes from the signature on somebody is to be told; None: no limit. It holds for what
    is signed from now on."""
    current = Lab.objects.select_for_update(no_key=True).get(id=lab.id)
    if current.critical_call_minutes == minutes:
        return
    Lab.objects.filter(id=lab.id).update(critical_call_minutes=minutes)
    before, after = {"minutes": current.critical_call_minutes}, {"minutes": minutes}
    record(Action.CRITICAL_CALLS_SET, lab=lab.id, subject=current.name, before=before, after=after)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
