"""Entering what is known of specimens, slides and scanners."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.cases.models import Case
from webapp.cases.services import hold
from webapp.cases.specimens import FACTS, TEXTS, TIMES, Scanner, Slide, Specimen
from webapp.labs.models import Lab
from webapp.language.sentences import as_written
from webapp.outbox.events import SpecimenChanged, publish
from webapp.patients.services import PatientErased


class ThereAlready(Exception):
    """The case has a slide, or the lab a scanner, of this name."""


class InUse(Exception):
    """What is to be removed is named by something that stays."""


@transaction.atomic
def change_specimen(case: Case, changes: Mapping[str, Any]) -> None:
    """Enter or correct what is known of a case's specimen.

    Args:
        changes: new values by the names in `webapp.cases.specimens.FACTS` and `TEXTS`; what is not named
            stays.

    Raises:
        PatientErased: a text was to be written of somebody who was erased.
    """
    if not changes:
        return
    case = hold(case)
    texts = {name: changes[name] for name in TEXTS if name in changes}
    if case.patient and case.patient.erased_at:
        if any(texts.values()):
            raise PatientErased
        changes = {name: value for name, value in changes.items() if name not in texts}
    specimen, made = Specimen.objects.filter(case=case).first(), False
    if specimen is None:
        specimen, made = Specimen(case=case, lab_id=case.lab_id), True
        if not any(changes.values()):
            return
    specimen.case = case
    for name, value in changes.items():
        setattr(specimen, name, value)
    specimen.save(force_insert=made, update_fields=None if made else list(changes))
    if any(name in changes for name in TIMES):
        publish(SpecimenChanged(case.lab_id, case.id))
    fields = as_written(*({**FACTS, **TEXTS}[name] for name in changes))
    _record(Action.SPECIMEN_CHANGED, case, after={"fields": fields})


@transaction.atomic
def add_slide(case: Case, *, label: str, stain: str = "", scanner: Scanner | None = None) -> Slide:
    """Name a slide of the case.

    Raises:
        ThereAlready: the case has one with this label.
    """
    try:
        with transaction.atomic():
            slide = Slide.objects.create(
                case=case, lab_id=case.lab_id, label=label, stain=stain, scanner=scanner
            )
    except IntegrityError as error:
        raise ThereAlready(_("This case has a slide %(label)s already.") % {"label": label}) from error
    _record(Action.SLIDE_ADDED, case, after={"label": slide.label})
    return slide


@transaction.atomic
def remove_slide(slide: Slide) -> None:
    """Take back a slide that no image is of.

    Raises:
        InUse: images are of it.
    """
    label = slide.label
    Slide.objects.select_for_update().filter(id=slide.id).first()  # whoever adds images of it ends first
    try:
        slide.delete()
    except ProtectedError as error:
        text = _("Images of this case are of slide %(label)s; it stays.")
        raise InUse(text % {"label": label}) from error
    _record(Action.SLIDE_REMOVED, slide.case, before={"label": label})


@transaction.atomic
def add_scanner(lab: Lab, *, make: str, model: str = "", micrometres_per_pixel: Any = None) -> Scanner:
    """Enter what the lab takes pictures with.

    Raises:
        ThereAlready: the lab has one of this make and model.
    """
    try:
        with transaction.atomic():
            scanner = Scanner.objects.create(
                lab=lab, make=make, model=model, micrometres_per_pixel=micrometres_per_pixel
            )
    except IntegrityError as error:
        text = _("The lab has a scanner %(scanner)s already.")
        raise ThereAlready(text % {"scanner": f"{make} {model}".rstrip()}) from error
    record(Action.SCANNER_ADDED, lab=lab.id, subject=str(scanner), subject_id=f"scanner {scanner.id}")
    return scanner


@transaction.atomic
def remove_scanner(scanner: Scanner) -> None:
    """Take back a scanner that no slide was scanned with.

    Raises:
        InUse: slides were.
    """
    scanner_id = scanner.id
    try:
        scanner.delete()
    except ProtectedError as error:
        text = _("Slides were scanned with %(scanner)s; it stays.")
        raise InUse(text % {"scanner": scanner}) from error
    record(
        Action.SCANNER_REMOVED, lab=scanner.lab_id, subject=str(scanner), subject_id=f"scanner {scanner_id}"
    )


def _record(action: Action, case: Case, **what: Any) -> None:
    record(action, lab=case.lab_id, subject=case.accession, subject_id=f"case {case.id}", **what)
