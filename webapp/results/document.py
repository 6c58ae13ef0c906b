"""What is signed: one document with all that a result says, in a form of which there is but one.

It is canonical JSON (RFC 8785), so its SHA-256 is the same wherever it is computed. Decimals are strings.
Whoever shows a result reads the document and nothing else.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

import rfc8785
from django.db.models import Count, F
from django.utils import translation

from webapp.accounts.models import User
from webapp.cases import selectors as cases
from webapp.cases.models import AnalyserCount, Case, Image
from webapp.crypto.cipher import Unreadable
from webapp.hematology.classes import OTHER
from webapp.inference.selectors import models_of
from webapp.language.sentences import as_written
from webapp.results.interpretation import Interpretation, Interpreted, UsedRange
from webapp.results.rules import fired
from webapp.review.agreement import agreements
from webapp.review.models import CellState, Decision, Disagreement, Reading
from webapp.review.remarks import standing_rows

FORMAT = "hematovision.result/1"
PLACES = 2  # of percentages


@dataclass(frozen=True, repr=False)
class Draft:
    """What would be signed now. It has no `repr`, for it says who the patient is."""

    values: dict[str, Any]
    text: str
    sha256: bytes

    @property
    def digest(self) -> str:
        return self.sha256.hex()


@dataclass(frozen=True, repr=False)
class Amended:
    """The version that a document corrects, and why."""

    version: int
    sha256: bytes
    reason: str


def draft(
    reading: Reading,
    interpretation: Interpretation,
    *,
    version: int = 1,
    needed: int = 1,
    reason: str = "",
    amended: Amended | None = None,
) -> Draft:
    """The document of a reading as it is now.

    Args:
        version: its place among the case's results.
        needed: how many signatures it needs.
        reason: why it is signed although something is missing.

    Raises:
        Unreadable: what it would say of the patient or the specimen cannot be decrypted.
    """
    case = reading.case
    of = interpretation.differential
    values = {
        "format": FORMAT,
        "version": version,
        "signatures_needed": needed,
        "lab": {"id": case.lab_id, "name": case.lab.name, "time_zone": case.lab.time_zone or "UTC"},
        "case": {"id": case.id, "accession": case.accession, "priority": case.priority},
        "patient": _patient(case),
        "specimen": _specimen(case),
        "analyser": _analyser(case),
        "slides": [
            {"label": slide.label, "stain": slide.stain, "scanner": str(slide.scanner or "")}
            for slide in cases.slides(case)
        ],
        "files": _files(case),
        "reading": _reading(reading),
        "models": [
            {"name": model.name, "version": model.version, "cells": n} for model, n in models_of(case)
        ],
        "cells": {
            "required": interpretation.required,
            "white_cells": of.wbc_count,
            "not_classed": of.not_classed,
            "undecided": 0,
            "reason": reason,
        },
        "white_cells": {
            "given": interpretation.wbc_given,
            "used": interpretation.wbc,
            "correction": str(interpretation.wbc_correction),
        },
        "rows": [_row(row) for row in interpretation.rows],
        "flags": [str(flag) for flag in interpretation.flags],
        "others": _others(reading),
        "remarks": _remarks(reading),
        "rules": _rules(reading, interpretation),
        "second_readings": _second_readings(case),
        "amends": amended
        and {"version": amended.version, "sha256": amended.sha256.hex(), "reason": amended.reason},
    }
    text = canonical(values)
    return Draft(json.loads(text), text, digest_of(text))


def canonical(values: Any) -> str:
    """The one text of `values` by RFC 8785."""
    return rfc8785.dumps(_plain(values)).decode()


def digest_of(text: str) -> bytes:
    return sha256(text.encode()).digest()


def parts_of(values: dict[str, Any]) -> dict[str, str]:
    """A short hash of each part of a document, so that two can be told apart by part: of rows, of each."""
    parts = {name: value for name, value in values.items() if name not in ("rows", "reading")}
    parts |= {f"rows.{row['class']}.{len(row['parts'])}": row for row in values["rows"]}
    return {name: digest_of(canonical(value)).hex()[:16] for name, value in parts.items()}


def patient_of(case: Case) -> dict[str, Any] | None:
    """Who the patient is, as a document has it."""
    patient: dict[str, Any] | None = _plain(_patient(case))
    return patient


def _patient(case: Case) -> dict[str, Any] | None:
    patient = case.patient
    if patient is None:
        return None
    names = ("name", "mrn", "birth_date", "sex")
    return {"id": patient.id, **{name: getattr(patient, name) for name in names}}


def _specimen(case: Case) -> dict[str, Any]:
    facts = cases.specimen_of(case, texts=True)
    if facts.unreadable:
        raise Unreadable(", ".join(facts.unreadable))
    return {one.name: getattr(facts, one.name) for one in fields(facts) if one.name != "unreadable"}


def _analyser(case: Case) -> dict[str, Any] | None:
    found = AnalyserCount.objects.filter(case=case).select_related("entered_by").first()
    if found is None:
        return None
    return {
        "wbc": found.wbc,
        "wbc_is_corrected": found.wbc_is_corrected,
        "haemoglobin": found.haemoglobin,
        "platelets": found.platelets,
        "entered_by": str(found.entered_by),
        "entered_at": found.entered_at,
    }


def _files(case: Case) -> dict[str, int]:
    rows = Image.objects.filter(case=case).order_by().values_list("status").annotate(n=Count("id"))
    counts = dict(rows)
    named = {
        "classified": Image.Status.CLASSIFIED,
        "refused": Image.Status.REFUSED,
        "failed": Image.Status.FAILED,
    }
    return {name: counts.get(status.value, 0) for name, status in named.items()}


def _reading(reading: Reading) -> dict[str, Any]:
    """With who decided of how many cells, and of how many otherwise than a model suggested."""
    states = CellState.objects.filter(reading=reading).exclude(cell_class="")
    decided = dict(states.order_by().values_list("by").annotate(n=Count("id")))
    suggested = F("cell__predictions__cell_class")
    changed = states.filter(cell__predictions__current=True).exclude(cell_class=suggested).count()
    people = User.objects.in_bulk(decided)
    return {
        "id": reading.pk,
        "kind": reading.kind,
        "revision": reading.revision,
        "changed": changed,
        "readers": [{"id": pk, "name": str(people[pk]), "cells": n} for pk, n in sorted(decided.items())],
    }


def _others(reading: Reading) -> list[dict[str, Any]]:
    """What people called the cells that they found no class for, and how many of each there are."""
    numbers = CellState.objects.filter(reading=reading, cell_class=OTHER).values("number")
    decisions = Decision.objects.filter(reading=reading, number__in=numbers)
    counts: dict[str, int] = {}
    for decision in decisions.select_related("reading__case__patient__key"):
        counts[decision.words] = counts.get(decision.words, 0) + 1
    return [{"words": words, "cells": n} for words, n in sorted(counts.items())]


def _remarks(reading: Reading) -> list[dict[str, Any]]:
    return [
        {
            "subject": row.subject,
            "term": row.term,
            "grade": row.grade,
            "words": row.words,
            "by": str(row.by),
            "at": row.at,
        }
        for row in standing_rows(reading)
    ]


def _rules(reading: Reading, interpretation: Interpretation) -> list[dict[str, Any]]:
    """The rules that fired; whoever signs sees the case, which meets some. The sentences are those of the
    source, in whatever language they are read: else the same result would have several documents."""
    with translation.override(None):
        return [
            {
                "name": one.rule.name,
                "version": one.rule.version,
                "sentence": one.sentence,
                "when": one.rule.when,
                "then": one.rule.then,
                "remark": one.rule.remark,
                "source": one.rule.source,
                "answer": one.answer
                and {"answer": one.answer.answer, "by": str(one.answer.by), "at": one.answer.at},
            }
            for one in fired(reading.case, reading, interpretation, by_signer=True)
        ]


def _second_readings(case: Case) -> list[dict[str, Any]]:
    """How far each agreed with the first before anything was settled, and what was settled how."""
    found = list(agreements(case))[::-1]
    settled: dict[UUID, list[dict[str, Any]]] = {one.id: [] for one in found}
    differing = Disagreement.objects.filter(agreement__in=found).order_by("cell")
    for one in differing.select_related("settled_by", "settled_with"):
        settled[one.agreement_id].append(
            {
                "cell": one.cell_id,
                "first": one.first_class,
                "second": one.second_class,
                "settled": one.settled_class,
                "how": one.how,
                "by": one.settled_by and str(one.settled_by),
                "with": one.settled_with and str(one.settled_with),
            }
        )
    return [
        {
            "reader": str(one.second.reader),
            "blinded": one.second.blinded,
            "at": one.made_at,
            "cells": one.cells,
            "agreed": one.agreed,
            "by_one": one.by_one,
            "kappa": None if one.kappa is None else Decimal(f"{one.kappa:.3f}"),
            "disagreements": settled[one.id],
        }
        for one in found
    ]


def _row(one: Interpreted) -> dict[str, Any]:
    row = one.row
    return {
        "class": row.cell_class.code,
        "name": as_written(row.cell_class.name),
        "in_wbc": row.cell_class.in_wbc,
        "unit": row.cell_class.unit,
        "parts": list(one.parts),
        "count": row.count,
        **{name: _number(getattr(row, name)) for name in ("percent", "low", "high")},
        "absolute": one.absolute,
        "absolute_low": one.absolute_low,
        "absolute_high": one.absolute_high,
        "ranges": [_range(used) for used in one.ranges],
        "no_range": str(one.no_range) if one.no_range else None,
        "flags": [str(flag) for flag in one.flags],
        "near_limit": one.near_limit,
    }


def _range(used: UsedRange) -> dict[str, Any]:
    return {one.name: getattr(used, one.name) for one in fields(used) if one.name != "text"}


def _number(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(f"{value:.{PLACES}f}")


def _plain(value: Any) -> Any:
    """As JSON has it: decimals, ids and times are strings."""
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str):
        return str(value)
    return value
