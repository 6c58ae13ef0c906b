"""The one way to a case, image, cell or patient for somebody to see, so that who looked is on record."""

from collections.abc import Iterable
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django_scopes import get_scope

from webapp.audit.actions import Action
from webapp.audit.folding import record_denial, record_reading, record_shown
from webapp.audit.words import NOT_THERE
from webapp.cases import selectors
from webapp.cases.identifiers import FIELDS, Identifiers
from webapp.cases.models import Case, Cell, Image
from webapp.cases.specimens import TEXTS

Record = TypeVar("Record", bound=Model)


class NotInLab(Exception):
    """The lab has no such case, image or cell. API and pages answer as if there were none anywhere."""


def open_case(case_id: UUID) -> Case:
    """The lab's case; that it was opened is recorded.

    Raises:
        NotInLab: it is another lab's, or there is none.
    """
    case = found(selectors.cases(), case_id, "case")
    opened(case)
    return case


def open_image(image_id: int) -> Image:
    """The lab's image, with its case; that the case was opened is recorded.

    Raises:
        NotInLab: it is another lab's, or there is none.
    """
    image = found(Image.objects.select_related("case", "uploaded_by", "set_aside__by"), image_id, "image")
    opened(image.case)
    return image


def open_cell(cell_id: int) -> Cell:
    """The lab's cell, with its image and case; that the case was opened is recorded.

    Raises:
        NotInLab: it is another lab's, or there is none.
    """
    cell = found(Cell.objects.select_related("image__case"), cell_id, "cell")
    opened(cell.image.case)
    return cell


def identifiers_shown(cases: Iterable[Case], fields: Iterable[str] = FIELDS) -> dict[UUID, Identifiers]:
    """Who the patients of `cases`, all of one lab, are: as much as `fields` names, to be shown at once."""
    by_id = {case.id: case for case in cases}
    known = selectors.identifiers_of(by_id.values(), fields)
    shown = {
        case_id: by_id[case_id].accession
        for case_id, identifiers in known.items()
        if any(getattr(identifiers, name) for name in FIELDS)
    }
    text_shown(shown)
    return known


def specimen_shown(case: Case, *, texts: bool) -> selectors.SpecimenFacts:
    """What is known of a case's specimen, to be shown: its texts, which may say something of the patient, too
    or not."""
    known = selectors.specimen_of(case, texts=texts)
    if any(getattr(known, name) for name in TEXTS):
        text_shown({case.id: case.accession})
    return known


def text_shown(cases: dict[UUID, str]) -> None:
    """Record that what may tell who the patients of `cases`, accessions by id, are is shown to somebody."""
    if cases:
        record_shown(Action.IDENTIFIERS_SHOWN, lab=get_scope()["lab"].id, cases=cases)


def found(records: QuerySet[Record], record_id: UUID | int, kind: str) -> Record:
    """The one of `records`, those of a lab that somebody may see.

    Raises:
        NotInLab: it is none of them; the denial is recorded.
    """
    record = records.filter(pk=record_id).first()
    if record is None:
        record_denial(
            Action.ACCESS_DENIED,
            lab=get_scope()["lab"].id,
            subject=NOT_THERE[kind],
            subject_id=f"{kind} {record_id}",
        )
        raise NotInLab
    return record


def opened(case: Case) -> None:
    """Record that somebody looks at the case."""
    record_reading(Action.CASE_OPENED, lab=case.lab_id, subject=case.accession, subject_id=f"case {case.id}")
