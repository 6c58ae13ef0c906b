"""Refused files that a person looked at and needs no other for: they stay, and wait for nobody any more."""

from django.db import transaction
from django.utils.translation import gettext as _

from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.cases import processing
from webapp.cases.closing import check_under_way
from webapp.cases.models import Image, SetAside
from webapp.cases.refusals import Refusal
from webapp.cases.services import hold
from webapp.patients.services import PatientErased

REASON_LENGTH = 300


class CannotBeSetAside(Exception):
    """It was not refused, or is accounted for. Nothing was done."""

    def __str__(self) -> str:
        return _("This file waits for nobody: it counts, was replaced, or was set aside already.")


def can_be_set_aside(image: Image) -> bool:
    """A failed file may be an image of the case: whoever signs says why it is not needed."""
    return (
        image.status == Image.Status.REFUSED
        and image.refusal != Refusal.DUPLICATE
        and image.replaced_by_id is None
        and not SetAside.objects.filter(image=image).exists()
    )


@transaction.atomic
def set_aside(image: Image, *, by: User, reason: str) -> SetAside:
    """Say that a refused file was looked at, and why nothing is given in its place. Another can be, still.

    Raises:
        CannotBeSetAside: see there.
        PatientErased: nothing can be written of the patient any more.
        ReviewOver: the case is signed or void.
    """
    processing.lock(image.case_id)
    case = hold(image.case)
    check_under_way(case.id)
    image = Image.objects.select_related("case__patient__key").get(id=image.id)
    if case.patient and case.patient.erased_at:
        raise PatientErased
    if not can_be_set_aside(image):
        raise CannotBeSetAside
    made = SetAside(image=image, lab_id=case.lab_id, reason=reason, by=by)
    made.save(force_insert=True)
    record(
        Action.FILE_SET_ASIDE,
        lab=case.lab_id,
        subject=case.accession,
        subject_id=f"case {case.id}",
        after={"image": image.id},
    )
    return made
