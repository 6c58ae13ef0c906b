"""Finding out whether anybody changed what was signed behind the product's back.

A result is held against its document, its signatures and the audit trail, which knows of each signature and
step all but the words. The trail itself is verified by `audit verify`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_scopes import scopes_disabled

from webapp.audit.actions import Action
from webapp.audit.models import Entry
from webapp.audit.services import record
from webapp.cases.models import Case, Review
from webapp.cases.services import hold
from webapp.crypto.cipher import Erased, Unreadable
from webapp.results import amending
from webapp.results.document import canonical, digest_of
from webapp.results.models import Result, Signature, Step
from webapp.results.recorded import signature_on_record
from webapp.results.states import review_of, statuses

SIGNED = (Action.RESULT_SIGNED,)
STEPS = (Action.RESULT_AMENDED, Action.AMENDMENT_WITHDRAWN, Action.RESULT_VOIDED)


@dataclass(frozen=True)
class Finding:
    """Something wrong with what was signed of a case, in words."""

    lab: UUID
    case: UUID
    accession: str
    problem: str


@dataclass
class Verified:
    """How far a verification has come."""

    results: int = 0
    erased: int = 0
    """Whose document cannot be read any more, for the patient was erased; all else was looked at."""


def verify(case: Case) -> list[Finding]:
    """What is wrong with the case's results."""
    return _looked_at(case, Verified())


def verify_all(progress: Verified) -> Iterator[Finding]:
    """Check all results of all labs, and what the trail knows of others that are gone; record it."""
    findings = 0
    with scopes_disabled():
        for case_id in _cases():
            case = Case.objects.filter(id=case_id).first()
            if case is None:
                continue
            found = _looked_at(case, progress)
            findings += len(found)
            yield from found
    if findings:
        record(Action.RESULTS_ALTERED, lab=None, after={"results": progress.results, "findings": findings})
    else:
        record(Action.RESULTS_VERIFIED, lab=None, after={"results": progress.results})


def _cases() -> list[UUID]:
    """Those with results, and those of which the trail says that they had."""
    there = set(Result.objects.values_list("case", flat=True).distinct())
    told = Entry.objects.filter(action__in=SIGNED).values_list("subject_id", flat=True).distinct()
    return sorted(there | {UUID(subject.removeprefix("case ")) for subject in told})


def _results() -> "QuerySet[Result]":
    found = Result.objects.select_related("case__patient__key", "reading").order_by("version")
    return found.prefetch_related("signatures", "steps")


def _entries(lab: UUID, case: UUID) -> list[Entry]:
    found = Entry.objects.filter(chain=lab, subject_id=f"case {case}", action__in=(*SIGNED, *STEPS))
    return list(found.order_by("seq"))


@transaction.atomic
def _looked_at(case: Case, progress: Verified) -> list[Finding]:
    """The case is held meanwhile: half of what somebody does to it would look like a forgery."""
    case = hold(case)
    return list(_of_case(case, _results().filter(case=case), _entries(case.lab_id, case.id), progress))


def _of_case(
    case: Case, rows: Iterable[Result], entries: Sequence[Entry], progress: Verified
) -> Iterator[Finding]:
    results = list(rows)
    for problem in (
        *_missing_results(results, entries),
        *_problems(results, entries, progress),
        *_states(case, results),
    ):
        yield Finding(case.lab_id, case.id, case.accession, problem)


def _missing_results(results: list[Result], entries: Sequence[Entry]) -> Iterator[str]:
    told = {after["result"]: after["version"] for after in map(_after, entries)}
    for gone in sorted(told.keys() - {str(result.id) for result in results}):
        yield _("version %(version)s is missing") % {"version": told[gone]}


def _problems(results: list[Result], entries: Sequence[Entry], progress: Verified) -> Iterator[str]:
    for result in results:
        progress.results += 1
        version = {"version": result.version}
        for problem in (
            *_document(result, progress),
            *_signatures(result, entries),
            *_steps(result, entries),
        ):
            yield _("version %(version)s: %(problem)s") % {**version, "problem": problem}


def _document(result: Result, progress: Verified) -> Iterator[str]:
    try:
        text, values = result.document, result.values
    except Erased:
        progress.erased += 1
        return
    except (Unreadable, ValueError):
        yield _("its document cannot be decrypted")
        return
    if digest_of(text) != bytes(result.sha256):
        yield _("its document is not the one whose SHA-256 was signed")
    elif canonical(values) != text:
        yield _("its document is not canonical")
    else:
        says = (values["version"], values["case"]["id"], values["reading"]["revision"])
        if says != (result.version, str(result.case_id), result.revision):
            yield _("its row says something else than its document")


def _signatures(result: Result, entries: Sequence[Entry]) -> Iterator[str]:
    told = {_after(one)["signature"]: one for one in _of(result, entries) if one.action in SIGNED}
    kept = {str(one.id): one for one in result.signatures.all()}
    if not kept:
        yield _("nobody has signed it")
    for signature in kept.values():
        if bytes(signature.sha256) != bytes(result.sha256):
            yield _("the signature of %(name)s is under another document") % {"name": signature.printed_name}
        entry = told.get(str(signature.id))
        if entry is None:
            yield _("the audit trail knows nothing of the signature of %(name)s") % {
                "name": signature.printed_name
            }
        elif not _is_as_told(signature, result, entry):
            yield _("the signature of %(name)s was changed") % {"name": signature.printed_name}
    for gone in told.keys() - kept.keys():
        yield _("the signature of %(name)s is missing") % {"name": _after(told[gone])["name"]}


def _is_as_told(signature: Signature, result: Result, entry: Entry) -> bool:
    signature.result = result
    return signature_on_record(signature) == entry.after


def _steps(result: Result, entries: Sequence[Entry]) -> Iterator[str]:
    told = {_after(one)["step"]: one for one in _of(result, entries) if one.action in STEPS}
    kept = {str(one.id): one for one in result.steps.all()}
    for step in kept.values():
        entry = told.get(str(step.id))
        step.result = result
        says = (amending.on_record(step), amending.ACTIONS[Step.Kind(step.kind)].value)
        is_told = entry is not None and says == (entry.after, entry.action)
        if not is_told:
            yield _("the audit trail does not say what “%(step)s” says") % {"step": step.get_kind_display()}
    for gone in told.keys() - kept.keys():
        yield _("“%(step)s” is missing") % {"step": Action(told[gone].action).verb}


def _states(case: Case, results: list[Result]) -> Iterator[str]:
    if not results:
        if case.review not in (Review.OPEN, Review.IN_REVIEW):
            yield _("the case says that it is signed, and has no result")
        return
    expected = statuses(results)
    for result, status in expected.items():
        if result.status != status:
            yield _("version %(version)s says that it is “%(status)s”, and was not made so") % {
                "version": result.version,
                "status": result.get_status_display(),
            }
    last = results[-1]
    if expected[last] in (Result.Status.AWAITING, Result.Status.FINAL) and amending.is_decided_otherwise(
        last
    ):
        yield _("cells were decided otherwise after it was signed")
    if case.review != review_of(results, expected):
        yield _("the case says that it is “%(review)s”, and was not made so") % {
            "review": case.get_review_display()
        }


def _of(result: Result, entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if _after(entry)["result"] == str(result.id)]


def _after(entry: Entry) -> dict[str, Any]:
    return entry.after or {}
