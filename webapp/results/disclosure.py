"""The one way to a result for somebody to see: who looked is on record, and what was altered shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.folding import record_reading
from webapp.cases.disclosure import NotInLab, text_shown
from webapp.cases.models import Case
from webapp.cases.specimens import TEXTS
from webapp.crypto.cipher import Unreadable
from webapp.results.interpretation import NoRange
from webapp.results.models import Result
from webapp.results.selectors import PatientSince, patient_since, results_of
from webapp.results.verification import Finding, verify
from webapp.review.selectors import is_blinded


@dataclass(frozen=True, repr=False)
class ShownResult:
    """A version as somebody may see it. It has no `repr`, for it may say who the patient is.

    Attributes:
        values: of its document, without what the viewer may not see; None: it cannot be read any more.
        since: what became of the patient.
        findings: what was altered of the case's results.
        versions: all of the case, the last first.
    """

    result: Result
    values: dict[str, Any] | None
    since: PatientSince
    findings: list[Finding]
    versions: Sequence[Result]


def result_shown(case: Case, version: int | None, *, viewer: User, identifiers: bool) -> ShownResult:
    """A version of a case's result, or the last; that it was opened is recorded.

    Args:
        identifiers: whether who the patient is, and what may tell it, is to be shown.

    Raises:
        NotInLab: the case has none; or the viewer reads it blinded, and it tells of the first reading.
    """
    if is_blinded(case, viewer):
        raise NotInLab
    versions = list(results_of(case))
    found = next((one for one in versions if version in (None, one.version)), None)
    if found is None:
        raise NotInLab
    about = {"lab": case.lab_id, "subject": case.accession, "subject_id": f"case {case.id}"}
    record_reading(Action.RESULT_OPENED, **about)
    findings = verify(case)
    if findings:
        record_reading(Action.RESULT_ALTERED, **about)
    values, since = None, PatientSince()
    try:
        values = found.values
    except (Unreadable, ValueError):
        since = PatientSince(erased=bool(case.patient and case.patient.erased_at))
    if values is not None:
        since = patient_since(found, values)
        if identifiers:
            text_shown({case.id: case.accession})
        else:
            values = without_identifiers(values)
    return ShownResult(found, values, since, findings, versions)


def without_identifiers(values: dict[str, Any]) -> dict[str, Any]:
    """A document without who the patient is, and without what may tell: what people wrote, and the ranges for
    their age and sex."""
    specimen = {name: value for name, value in values["specimen"].items() if name not in TEXTS}
    amends = values["amends"] and {**values["amends"], "reason": None}
    rows = [
        {**row, "ranges": [], "no_range": NoRange.NOT_SHOWN.value} if row["ranges"] else row
        for row in values["rows"]
    ]
    hidden: dict[str, Any] = {
        "rows": rows,
        "patient": None,
        "specimen": specimen,
        "amends": amends,
        "others": [],
        "remarks": [{**one, "words": None} for one in values["remarks"]],
    }
    return {**values, **hidden, "cells": {**values["cells"], "reason": None}}
