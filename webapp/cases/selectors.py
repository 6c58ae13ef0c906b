from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case as Switch
from django.db.models import Count, F, Q, QuerySet, Value, When
from django_scopes import scopes_disabled

from webapp.cases.identifiers import FIELDS, Identifiers, normal_accession
from webapp.cases.models import UNDER_WAY, Case, Cell, Image, Processing
from webapp.cases.refusals import Refusal
from webapp.cases.specimens import FACTS, OF_REQUEST, TEXTS, AnalyserCount, Scanner, Slide, Specimen
from webapp.crypto.cipher import Unreadable
from webapp.labs.models import Lab
from webapp.patients.selectors import with_mrn
from webapp.storage.ranges import Part

KEY = ("patient__key__key", "patient__key__lab_id")


TILES_AT_ONCE = 96  # in a mosaic


_SET_ASIDE = Q(status=Image.Status.REFUSED, set_aside__isnull=False)


@dataclass(frozen=True)
class Progress:
    """How far a case is, and how many of its images stand where."""

    state: Processing
    awaiting_upload: int = 0
    received: int = 0
    classified: int = 0
    refused: int = 0
    failed: int = 0
    replaced: int = 0
    """Refused or failed, and another was given in their place."""
    set_aside: int = 0
    """Refused, and a person who looked needs no other."""

    @property
    def total(self) -> int:
        """All whose bytes have been handed over, or refused."""
        return self.received + self.finished

    @property
    def finished(self) -> int:
        return self.classified + self.refused + self.failed + self.replaced + self.set_aside

    @property
    def percent(self) -> int:
        return 100 * self.finished // self.total if self.total else 0

    @property
    def in_progress(self) -> bool:
        return self.state == Processing.CLASSIFYING


def cases() -> QuerySet[Case]:
    """The lab's cases, newest first."""
    return Case.objects.select_related("created_by")


def called(text: str) -> Case | None:
    """The case whose accession is `text`, or else the only one that differs in the case of letters alone."""
    accession = normal_accession(text)
    found = list(cases().filter(accession__iexact=accession)[:2]) if accession else []
    same = [case for case in found if case.accession == accession]
    return (same or found)[0] if len(same or found) == 1 else None


def open_cases(lab: Lab | None, *, accession: str = "", since: datetime | None = None) -> list[Case]:
    """The cases whose result nobody has signed, of a lab or of all, oldest first; for those who run it."""
    wanted = {"lab": lab, "accession": accession, "created_at__gte": since}
    with scopes_disabled():
        found = Case.objects.filter(**{name: value for name, value in wanted.items() if value})
        found = found.filter(review__in=UNDER_WAY)
        return list(found.select_related("lab").order_by("created_at", "id"))


def cases_of_patient(lab_id: UUID, mrn: str) -> QuerySet[Case]:
    """The lab's cases of the patient with exactly this MRN, as far as separators and case go."""
    return cases().filter(patient__in=with_mrn(lab_id, mrn).values("id"))


def identifiers_of(cases: Iterable[Case], fields: Iterable[str] = FIELDS) -> dict[UUID, Identifiers]:
    """Who the patient of each of `cases` is, in one query; only `fields` are read and decrypted.

    A case may have been given to another patient since it was read: what counts is whose it is now. Whoever
    shows them to somebody asks `webapp.cases.disclosure.identifiers_shown`.
    """
    known, fields = {case.id: Identifiers() for case in cases}, tuple(fields)
    columns = [f"patient__{name}" for name in fields if name != "notes"]
    along = ["patient__key"]
    if "notes" in fields:
        columns, along = [*columns, "notes__lab_id", "notes__text"], [*along, "notes"]
    rows = Case.objects.filter(id__in=known).select_related(*along)
    for case in rows.only("patient", "patient__lab_id", "patient__erased_at", *KEY, *columns):
        known[case.id] = _opened(case, fields)
    return known


def _opened(case: Case, fields: tuple[str, ...]) -> Identifiers:
    patient = case.patient
    if patient and patient.erased_at:
        return Identifiers(patient=patient.id, erased=True)
    values: dict[str, Any] = {}
    unreadable = []
    for name in fields:
        try:
            if name == "notes":
                values[name] = case.notes.text if hasattr(case, "notes") else ""
            elif patient:
                values[name] = getattr(patient, name)
        except Unreadable:
            unreadable.append(name)
    return Identifiers(**values, unreadable=tuple(unreadable), patient=case.patient_id)


def progress_of(cases: Iterable[Case]) -> dict[UUID, Progress]:
    """The progress of each of `cases`, in one query."""
    states = {case.id: Processing(case.processing) for case in cases}
    counts: dict[UUID, dict[str, int]] = {case_id: {} for case_id in states}
    state = Switch(
        When(replaced_by__isnull=False, then=Value("replaced")),
        When(_SET_ASIDE, then=Value("set_aside")),
        default=F("status"),
    )
    images = Image.objects.filter(case_id__in=counts).annotate(state=state)
    rows = images.values_list("case_id", "state").annotate(n=Count("id"))
    for case_id, status, n in rows.order_by():
        counts[case_id][status] = n
    return {case_id: Progress(states[case_id], **by_status) for case_id, by_status in counts.items()}


def images(case: Case, **filters: Any) -> QuerySet[Image]:
    """A case's images in the order of upload, those whose upload never began aside."""
    found = Image.objects.filter(case=case, **filters).exclude(status=Image.Status.AWAITING_UPLOAD)
    return found.select_related("uploaded_by", "set_aside__by").order_by("id")


def not_counted(case: Case) -> QuerySet[Image]:
    """A case's files that were refused or failed and that nothing was given for, in the order of upload;
    without those that somebody set aside."""
    found = images(case, status__in=Image.UNUSABLE, replaced_by=None).exclude(_SET_ASIDE)
    return found.select_related("uploaded_by", "slide", "case")


def outstanding(**filters: Any) -> QuerySet[Image]:
    """The lab's files that were refused or failed and that nothing was given for, newest first.

    What is there twice is accounted for: it is counted once. So is what somebody set aside, and what is of a
    case whose review is over: nothing can be given for it.
    """
    found = Image.objects.filter(status__in=Image.UNUSABLE, replaced_by=None, **filters)
    found = found.exclude(_SET_ASIDE).exclude(refusal=Refusal.DUPLICATE)
    found = found.filter(case__review__in=UNDER_WAY)
    return found.select_related("case", "uploaded_by", "slide").order_by("-id")


def outstanding_by_status() -> dict[str, int]:
    """How many of `outstanding` were refused, and how many failed."""
    return dict(outstanding().order_by().values_list("status").annotate(n=Count("id")))


def cells(case: Case) -> QuerySet[Cell]:
    """A case's cells, each with its image and what slide that is of."""
    return Cell.objects.filter(image__case=case).select_related("image__slide__scanner")


def tiles(case: Case, cell_ids: Collection[int]) -> dict[int, Part]:
    """Where the small pictures of those cells lie in the store, as far as they are of the case."""
    rows = Cell.objects.filter(image__case=case, id__in=cell_ids)
    return {
        cell_id: Part(key, offset, length)
        for cell_id, key, offset, length in rows.values_list("id", "pack__key", "tile_offset", "tile_length")
    }


@dataclass(frozen=True, repr=False)
class SpecimenFacts:
    """What is known of a case's specimen. It has no `repr`, for its texts may name somebody."""

    collected_at: datetime | None = None
    received_at: datetime | None = None
    material: str = ""
    anticoagulant: str = ""
    requester: str = ""
    ordering_unit: str = ""
    clinical_question: str = ""
    comment: str = ""
    unreadable: tuple[str, ...] = ()
    """Names of texts that cannot be decrypted."""

    def __bool__(self) -> bool:
        return self != SpecimenFacts()

    @property
    def material_label(self) -> str:
        return str(Specimen.Material(self.material).label) if self.material else ""

    @property
    def anticoagulant_label(self) -> str:
        return str(Specimen.Anticoagulant(self.anticoagulant).label) if self.anticoagulant else ""

    @property
    def unreadable_labels(self) -> str:
        return ", ".join(str(TEXTS[name]) for name in self.unreadable)


def specimen_of(case: Case, *, texts: bool) -> SpecimenFacts:
    """What is known of a case's specimen, its texts only where `texts` says so.

    Whoever shows texts to somebody asks `webapp.cases.disclosure.specimen_shown`.
    """
    along = ("specimen", "service_request") if texts else ("specimen",)
    found = Case.objects.select_related(*along, "patient__key").get(id=case.id)
    erased = found.patient and found.patient.erased_at
    specimen = getattr(found, "specimen", None)
    values: dict[str, Any] = {name: getattr(specimen, name) for name in FACTS if specimen}
    unreadable = []
    for name in TEXTS if texts and not erased else ():
        row = getattr(found, "service_request" if name in OF_REQUEST else "specimen", None)
        try:
            values[name] = getattr(row, name, "")
        except Unreadable:
            unreadable.append(name)
    return SpecimenFacts(**values, unreadable=tuple(unreadable))


def analyser_count_of(case: Case) -> AnalyserCount | None:
    """What an analyser counted in the case's specimen, with who entered it; None: nobody has entered it."""
    return AnalyserCount.objects.filter(case=case).select_related("entered_by").first()


def slides(case: Case) -> QuerySet[Slide]:
    """The case's slides, with what they were scanned with."""
    return Slide.objects.filter(case=case).select_related("scanner", "case")


def scanners() -> QuerySet[Scanner]:
    """What the lab takes pictures with."""
    return Scanner.objects.all()
