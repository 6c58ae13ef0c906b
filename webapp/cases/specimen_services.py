"""Entering what is known of specimens, slides and scanners."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.cases.closing import check_under_way
from webapp.cases.models import Case, Image
from webapp.cases.services import check_born_before, hold
from webapp.cases.specimens import (
    COUNTS,
    FACTS,
    OF_REQUEST,
    TEXTS,
    TIMES,
    AnalyserCount,
    Scanner,
    ServiceRequest,
    Slide,
    Specimen,
)
from webapp.crypto.cipher import Unreadable
from webapp.labs.models import Lab
from webapp.language.sentences import as_written
from webapp.outbox.events import SpecimenChanged, publish
from webapp.patients.services import PatientErased


class NothingToSayOf(Exception):
    """A WBC was said to be corrected, or not, and there is none."""

    def __str__(self) -> str:
        return _("Enter the WBC that this is said of.")


class ThereAlready(Exception):
    """The case has a slide, or the lab a scanner, of this name."""


class NoSuchSlide(Exception):
    """The slide is another case's, or was removed meanwhile. Nothing was done."""

    def __str__(self) -> str:
        return _("This case does not have that slide any more. Choose another.")


class InUse(Exception):
    """What is to be removed is named by something that stays."""


@transaction.atomic
def change_specimen(
    case: Case, changes: Mapping[str, Any], *, seen: Mapping[str, Any] | None = None
) -> tuple[str, ...]:
    """Enter or correct what is known of a case's specimen, and of the request that came with it.

    Args:
        changes: new values by the names in `webapp.cases.specimens.FACTS` and `TEXTS`; what is not named
            stays.
        seen: what whoever changes it was shown.

    Returns:
        Which of `changes` took the place of what somebody else entered since it was shown.

    Raises:
        PatientErased: a text was to be written of somebody who was erased.
        CollectedBeforeBirth: the patient was not born yet.
        ReviewOver: it can be changed no more.
    """
    if not changes:
        return ()
    case = held_open(case)
    texts = {name: changes[name] for name in TEXTS if name in changes}
    if case.patient and case.patient.erased_at:
        if any(texts.values()):
            raise PatientErased
        changes = {name: value for name, value in changes.items() if name not in texts}
    before: dict[str, Any] = {}
    for model, names in ((ServiceRequest, OF_REQUEST), (Specimen, (*FACTS, "ordering_unit", "comment"))):
        before |= _write(model, case, {name: changes[name] for name in names if name in changes})
    if not before:
        return ()
    if changes.keys() & set(TIMES):
        check_born_before(case)
        publish(SpecimenChanged(case.lab_id, case.id))
    fields = as_written(*({**FACTS, **TEXTS}[name] for name in changes))
    _record(Action.SPECIMEN_CHANGED, case, after={"fields": fields})
    return overwritten(seen, before, changes)


@transaction.atomic
def enter_analyser_count(
    case: Case, changes: Mapping[str, Any], *, by: User, seen: Mapping[str, Any] | None = None
) -> tuple[str, ...]:
    """Enter or correct what an analyser counted in the specimen; where nothing of it is left, it is none.

    Args:
        changes: new values by the names in `webapp.cases.specimens.COUNTS`, which `LIMITS` allows; what is
            not named stays.
        seen: as for `change_specimen`.

    Returns:
        As `change_specimen`.

    Raises:
        NothingToSayOf: a WBC is said to be corrected, and there is none.
        ReviewOver: it can be changed no more.
    """
    case = held_open(case)
    known = AnalyserCount.objects.filter(case=case).first()
    before = {name: getattr(known, name, None) for name in COUNTS}
    now = {**before, **changes}
    if now["wbc"] is None and changes.get("wbc_is_corrected") is not None:
        raise NothingToSayOf
    if now["wbc"] is None:
        now["wbc_is_corrected"] = None
    if now == before:
        return ()
    if all(value is None for value in now.values()):
        AnalyserCount.objects.filter(case=case).delete()
    else:
        AnalyserCount(case=case, lab_id=case.lab_id, entered_by=by, **now).save()
    publish(SpecimenChanged(case.lab_id, case.id))
    changed = [name for name in COUNTS if now[name] != before[name]]
    fields = as_written(*(COUNTS[name] for name in changed))
    _record(Action.ANALYSER_COUNT_CHANGED, case, after={"fields": fields})
    return overwritten(seen, before, changes)


def held_open(case: Case) -> Case:
    """As `hold`.

    Raises:
        ReviewOver: it is signed or void.
    """
    case = hold(case)
    check_under_way(case.id)
    return case


def overwritten(
    seen: Mapping[str, Any] | None, before: Mapping[str, Any], changes: Mapping[str, Any]
) -> tuple[str, ...]:
    """Which of `changes` took the place of something else than was `seen` by whoever changed it."""
    shown = seen or {}
    return tuple(
        name
        for name, value in changes.items()
        if name in before and name in shown and _even(before[name]) not in (_even(shown[name]), _even(value))
    )


def _even(value: Any) -> Any:
    """As people see it: times to the minute, and nothing as nothing."""
    if isinstance(value, datetime):
        return value.replace(second=0, microsecond=0)
    return None if value == "" else value


def _write(model: type[Any], case: Case, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Write those of the case's row; returns what was there before."""
    row, made = model.objects.filter(case=case).first(), False
    if row is None:
        row, made = model(case=case, lab_id=case.lab_id), True
        if not any(changes.values()):
            return {}
    row.case = case
    before = {}
    for name, value in changes.items():
        try:
            before[name] = getattr(row, name)
        except Unreadable:
            before[name] = ""  # nobody was shown it
        setattr(row, name, value)
    if changes:
        row.save(force_insert=made, update_fields=None if made else list(changes))
    return before


@transaction.atomic
def add_slide(case: Case, *, label: str, stain: str = "", scanner: Scanner | None = None) -> Slide:
    """Name a slide of the case.

    Raises:
        ThereAlready: the case has one with this label.
        ReviewOver: the case is signed or void.
    """
    held_open(case)
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
        ReviewOver: the case is signed or void.
    """
    held_open(slide.case)
    label = slide.label
    Slide.objects.select_for_update().filter(id=slide.id).first()  # whoever adds images of it ends first
    try:
        slide.delete()
    except ProtectedError as error:
        text = _("Images of this case are of slide %(label)s; it stays.")
        raise InUse(text % {"label": label}) from error
    _record(Action.SLIDE_REMOVED, slide.case, before={"label": label})


@transaction.atomic
def set_slide(case: Case, image_ids: Collection[int], slide: Slide | None) -> int:
    """Say of which of the case's slides images of it are, or that nobody knows; returns of how many it was
    said otherwise before.

    Raises:
        NoSuchSlide: the slide is another case's, or was removed meanwhile.
        ReviewOver: the case is signed or void.
    """
    # Before the case, as whoever uploads to the slide does.
    if slide and not Slide.objects.select_for_update(no_key=True).filter(id=slide.id, case=case):
        raise NoSuchSlide
    held_open(case)
    images = Image.objects.filter(case=case, id__in=list(image_ids))
    changed = images.exclude(slide=slide).update(slide=slide)
    if changed:
        after = {"images": changed, "slide": slide and slide.label}
        _record(Action.IMAGES_SLIDE_SET, case, after=after)
    return changed


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
