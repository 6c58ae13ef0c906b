from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Subquery, TextChoices
from django_scopes import scopes_disabled

from webapp.cases.identifiers import FIELDS, Identifiers, normal_accession
from webapp.cases.models import Case, Cell, Image, Patient
from webapp.crypto.cipher import Unreadable
from webapp.labs.models import Lab
from webapp.storage.ranges import Part


class CaseState(TextChoices):
    """How far a case is, by what became of its images."""

    EMPTY = "empty", "No images yet"
    IN_PROGRESS = "in_progress", "In progress"
    NEEDS_ATTENTION = "needs_attention", "Needs attention"
    DONE = "done", "Ready to review"


@dataclass(frozen=True)
class Progress:
    """How many of a case's images stand where."""

    awaiting_upload: int = 0
    received: int = 0
    classified: int = 0
    refused: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """All whose bytes have been handed over, or refused."""
        return self.received + self.finished

    @property
    def finished(self) -> int:
        return self.classified + self.refused + self.failed

    @property
    def percent(self) -> int:
        return 100 * self.finished // self.total if self.total else 0

    @property
    def state(self) -> CaseState:
        if not self.total:
            return CaseState.EMPTY
        if self.received:
            return CaseState.IN_PROGRESS
        return CaseState.NEEDS_ATTENTION if self.failed else CaseState.DONE

    @property
    def in_progress(self) -> bool:
        return self.state == CaseState.IN_PROGRESS


def cases() -> QuerySet[Case]:
    """The lab's cases, newest first."""
    return Case.objects.select_related("created_by")


def page_of_cases(size: int, *, prefix: str = "", before: UUID | None = None) -> QuerySet[Case]:
    """Up to `size` of `cases`, older than `before`, whose accession begins with `prefix` in any case."""
    found = cases().order_by("-created_at", "-id")
    if prefix:
        found = found.filter(accession__istartswith=normal_accession(prefix))
    if before:
        when = Subquery(cases().filter(id=before).values("created_at"))
        found = found.filter(Q(created_at__lt=when) | Q(created_at=when, id__lt=before))
    return found[:size]


def open_cases(lab: Lab | None, *, accession: str = "", since: datetime | None = None) -> list[Case]:
    """The cases whose result nobody has signed, of a lab or of all, oldest first; for those who run it."""
    wanted = {"lab": lab, "accession": accession, "created_at__gte": since}
    with scopes_disabled():
        found = Case.objects.filter(**{name: value for name, value in wanted.items() if value})
        return list(found.select_related("lab").order_by("created_at", "id"))


def cases_of_patient(lab_id: UUID, mrn: str) -> QuerySet[Case]:
    """The lab's cases of the patient with exactly this MRN, as far as separators and case go."""
    hashes = Patient._meta.get_field("mrn_hash").hashes(mrn, lab_id)
    return cases().filter(id__in=Patient.objects.filter(mrn_hash__in=hashes).values("case_id"))


def identifiers_of(cases: Iterable[Case], fields: Iterable[str] = FIELDS) -> dict[UUID, Identifiers]:
    """Who the patient of each of `cases` is, in one query; only `fields` are read and decrypted.

    Whoever shows them to somebody asks `webapp.cases.disclosure.identifiers_shown`.
    """
    known, fields = {case.id: Identifiers() for case in cases}, tuple(fields)
    for patient in Patient.objects.filter(case_id__in=known).only("lab_id", *fields):
        known[patient.case_id] = _opened(patient, fields)
    return known


def _opened(patient: Patient, fields: tuple[str, ...]) -> Identifiers:
    values: dict[str, Any] = {}
    unreadable = []
    for name in fields:
        try:
            values[name] = getattr(patient, name)
        except Unreadable:
            unreadable.append(name)
    return Identifiers(**values, unreadable=tuple(unreadable))


def progress_of(cases: Iterable[Case]) -> dict[UUID, Progress]:
    """The progress of each of `cases`, in one query."""
    counts: dict[UUID, dict[str, int]] = {case.id: {} for case in cases}
    rows = Image.objects.filter(case_id__in=counts).values_list("case_id", "status").annotate(n=Count("id"))
    for case_id, status, n in rows.order_by():
        counts[case_id][status] = n
    return {case_id: Progress(**by_status) for case_id, by_status in counts.items()}


def images(case: Case, **filters: Any) -> QuerySet[Image]:
    """A case's images in the order of upload, those whose upload never began aside."""
    found = Image.objects.filter(case=case, **filters).exclude(status=Image.Status.AWAITING_UPLOAD)
    return found.order_by("id")


def cells(case: Case) -> QuerySet[Cell]:
    """A case's cells, each with its image."""
    return Cell.objects.filter(image__case=case).select_related("image")


def tiles(case: Case, cell_ids: Collection[int]) -> dict[int, Part]:
    """Where the small pictures of those cells lie in the store, as far as they are of the case."""
    rows = Cell.objects.filter(image__case=case, id__in=cell_ids)
    return {
        cell_id: Part(key, offset, length)
        for cell_id, key, offset, length in rows.values_list("id", "pack__key", "tile_offset", "tile_length")
    }
