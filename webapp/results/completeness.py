"""What is missing before a case can be signed, each with what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webapp.cases.models import Case, Cell, Image
from webapp.cases.processing import AT_REST
from webapp.crypto.cipher import Unreadable
from webapp.inference.models import OPEN, Chunk
from webapp.results.interpretation import Interpretation
from webapp.results.rules import interpreted, unmet
from webapp.review.models import CellState, Reading
from webapp.rules.conditions import Then


@dataclass(frozen=True)
class Missing:
    """One thing that keeps a case from being signed.

    Attributes:
        code: for programs.
        page: where it is put right; a page of the case's.
        is_excusable: whoever signs may sign all the same, for a reason that they give.
    """

    code: str
    sentence: str
    page: str = "case"
    is_excusable: bool = False


def missing(case: Case, reading: Reading | None, interpretation: Interpretation | None) -> list[Missing]:
    """What is missing, gravest first; whoever signs asks again while the case is held.

    Args:
        reading: its first; None: nobody has begun.
        interpretation: of what was decided in it.
    """
    found = list(_in_progress(case))
    found += _cells(case, reading)
    found += _patient(case)
    found += _asked_for(case, reading, interpretation)
    if interpretation and interpretation.is_short:
        found.append(_short(interpretation))
    found += _failed(case)
    return found


def is_ready(case: Case, reading: Reading | None) -> bool:
    """Whether nothing is missing but what a reason excuses; it stops at the first thing that is."""
    if reading is None or cells_without_decision(case, reading).exists():
        return False
    if any(True for look in (_in_progress, _patient) for _one in look(case)):
        return False
    return not any(True for _one in _asked_for(case, reading, interpreted(reading)))


def unexcused(found: Iterable[Missing], reason: str) -> list[Missing]:
    """Those that a reason does not help against, or all where there is none."""
    return [one for one in found if not (one.is_excusable and reason)]


def _in_progress(case: Case) -> Iterable[Missing]:
    if not Image.objects.filter(case=case).exists():
        yield Missing("no_images", _("The case has no images."))
    elif case.processing not in AT_REST:
        yield Missing("in_progress", _("Images are still on their way or being classified."))
    elif Chunk.objects.filter(case=case, state__in=OPEN).exists():
        yield Missing("in_progress", _("A model is still asked of some of the cells."))


def _cells(case: Case, reading: Reading | None) -> Iterable[Missing]:
    undecided = cells_without_decision(case, reading).count()
    if undecided:
        text = ngettext("%(n)s cell has no decision yet.", "%(n)s cells have no decision yet.", undecided)
        yield Missing("undecided", text % {"n": undecided}, "review")
    elif not Cell.objects.filter(image__case=case).exists():
        yield Missing("no_cells", _("There are no cells to report."))


def cells_without_decision(case: Case, reading: Reading | None) -> "QuerySet[Cell]":
    """The cells that count and that nobody decided in the reading."""
    cells = Cell.objects.filter(image__case=case, image__status=Image.Status.CLASSIFIED)
    if reading is None:
        return cells
    decided = CellState.objects.filter(reading=reading, cell=OuterRef("pk")).exclude(cell_class="")
    return cells.exclude(Exists(decided))


def _asked_for(
    case: Case, reading: Reading | None, interpretation: Interpretation | None
) -> Iterable[Missing]:
    """What rules and second readers ask for. Whoever signs sees the case; a blinded reading ends before, or
    it is compared with what all can see."""
    asked = unmet(case, reading, interpretation, by_signer=True) if reading and interpretation else []
    for one in asked:
        yield Missing(f"rule_{one.kind}", one.sentence, "checks")
    unfinished = Reading.objects.filter(case=case, kind=Reading.Kind.SECOND, blinded=True, finished_at=None)
    if not any(one.kind == Then.SECOND_READER for one in asked) and unfinished.exists():
        yield Missing("second_reading", _("A second person is still reading the case."), "checks")


def _patient(case: Case) -> Iterable[Missing]:
    patient = case.patient
    if patient is not None and patient.erased_at:
        yield Missing("patient_erased", _("The patient was erased."))
        return
    try:
        is_known = patient is not None and bool(patient.name or patient.mrn)
    except Unreadable:
        yield Missing("unreadable", _("Who the patient is cannot be decrypted."), "case-patient")
        return
    if not is_known:
        yield Missing("no_patient", _("Nobody has entered whose the specimen is."), "case-patient")


def _short(interpretation: Interpretation) -> Missing:
    counted, required = interpretation.differential.wbc_count, interpretation.required
    text = ngettext(
        "%(n)s white cell was counted; the lab asks for %(required)s.",
        "%(n)s white cells were counted; the lab asks for %(required)s.",
        counted,
    )
    return Missing("short", text % {"n": counted, "required": required}, "case", is_excusable=True)


def _failed(case: Case) -> Iterable[Missing]:
    """What nobody could look at, nor gave another file for. A refused file is no image of the case; a failed
    one may be."""
    failed = Image.objects.filter(case=case, status=Image.Status.FAILED, replaced_by=None).count()
    if failed:
        text = ngettext(
            "%(n)s image failed, and its cells are not in the count.",
            "%(n)s images failed, and their cells are not in the count.",
            failed,
        )
        yield Missing("failed", text % {"n": failed}, "case", is_excusable=True)
