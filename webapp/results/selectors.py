"""A case's results; the lab is the scope."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from webapp.cases.models import Case
from webapp.crypto.cipher import Erased, Unreadable
from webapp.results.document import patient_of
from webapp.results.models import Result, Step


@dataclass(frozen=True)
class PatientSince:
    """What became of the patient since a result was signed.

    Attributes:
        differs: names of details that are otherwise now.
        erased: nothing is known of them any more.
    """

    differs: tuple[str, ...] = ()
    erased: bool = False


def results_of(case: Case) -> QuerySet[Result]:
    """All versions, the last first, with who signed them and what was done about them afterwards."""
    found = Result.objects.filter(case=case).select_related("case__patient__key", "case__lab", "amends")
    return found.prefetch_related("signatures", "steps__by").order_by("-version")


def counting(case: Case) -> Result | None:
    """The version that counts: the last that has all its signatures; none of a case that is void."""
    whole = (Result.Status.FINAL, Result.Status.AMENDING)
    return results_of(case).filter(status__in=whole).first()


def patient_since(result: Result, values: dict[str, Any]) -> PatientSince:
    """How who the patient is differs from who they were when it was signed."""
    try:
        now = patient_of(result.case) or {}
    except Erased:
        return PatientSince(erased=True)
    except Unreadable:
        return PatientSince()
    before = values["patient"] or {}
    return PatientSince(
        tuple(name for name in ("name", "mrn", "birth_date", "sex") if now.get(name) != before.get(name))
    )


def reason_of(result: Result) -> str:
    """Why the version is amended or void: of the last step, which says one.

    Raises:
        Unreadable: it was altered, or the patient was erased.
    """
    steps = [step for step in result.steps.all() if step.kind != Step.Kind.WITHDRAW]
    if not steps:
        return ""
    steps[-1].result = result
    return str(steps[-1].reason)
