"""Asking the version that is live now about the cells of cases that an older one has answered for.

What people decided, the files and their tiles stay as they are. The older predictions stay too, and no longer
count.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django_scopes import scope

from webapp.audit import services as audit
from webapp.audit.actions import Action
from webapp.audit.context import PRODUCT, Actor
from webapp.cases import processing
from webapp.cases.closing import ReviewOver, check_under_way
from webapp.cases.models import Case, Cell, Image
from webapp.inference import services
from webapp.inference.models import OPEN, Chunk, Prediction
from webapp.outbox.queues import Queue
from webapp.registry import selectors as registry
from webapp.registry.models import ModelVersion


class NothingAnswers(Exception):
    """No version of the lab's model is published."""


@dataclass(frozen=True)
class Rerun:
    """What becomes of a case: how many images are asked of anew, of how many cells `version` spoke before."""

    case: Case
    version: ModelVersion
    images: int
    recalled: int


def rerun_each(cases: Iterable[Case], *, by: str) -> Iterator[Rerun]:
    """Re-run each case, in a transaction and a scope of its own, but those that were signed meanwhile.

    Raises:
        NothingAnswers: as `rerun`, at the case.
    """
    for case in cases:
        with scope(lab=case.lab), suppress(ReviewOver):
            yield rerun(case, by=by)


@transaction.atomic
def rerun(case: Case, *, by: str = "") -> Rerun:
    """Have the version that is live say again what the case's cells are.

    Images that it has answered for are not asked of again: what it said counts again. Images on their way to
    a model must be answered for by that version, too. Repeating it changes nothing.

    Raises:
        NothingAnswers: no version is published.
        ReviewOver: the case is signed or void.
    """
    processing.lock(case.id)
    check_under_way(case.id)
    version = registry.answering(case.lab_id)
    if version is None:
        raise NothingAnswers
    open_to_any = Chunk.objects.filter(case=case, live_only=False).exclude(state=Chunk.State.DONE)
    # Again until there is none: one in hand may have been split while this waited for its row.
    while open_to_any.update(live_only=True):
        pass
    recalled = _recall(case, version)
    unanswered = Cell.objects.filter(image=OuterRef("pk")).exclude(predictions__model_version=version)
    images = list(
        Image.objects.filter(Exists(unanswered), case=case, status=Image.Status.CLASSIFIED)
        .exclude(in_chunk__chunk__state__in=OPEN)
        .order_by("id")
        .values_list("id", flat=True)
    )
    services.enqueue_images(case, images, bulk=True, again=True)
    _forget_emptied(case)
    if images or recalled:
        audit.record(
            Action.CASE_RERUN,
            lab=case.lab_id,
            subject=case.accession,
            subject_id=f"case {case.id}",
            after={"model": str(version), "images": len(images), "recalled": recalled},
            actor=Actor(None, by) if by else PRODUCT,
        )
    return Rerun(case, version, len(images), recalled)


def _recall(case: Case, version: ModelVersion) -> int:
    """Let what the version said before count again; returns of how many cells."""
    said = Prediction.objects.filter(cell__image__case=case, model_version=version, current=False)
    cells = list(said.values_list("cell_id", flat=True))
    Prediction.objects.filter(cell_id__in=cells, current=True).update(current=False)
    Prediction.objects.filter(cell_id__in=cells, model_version=version).update(current=True)
    if cells:  # nobody need be asked; it is told all the same, as `selectors.times_rerun` says
        Chunk.objects.create(
            lab_id=case.lab_id,
            case=case,
            queue=Queue.BULK.value,
            state=Chunk.State.DONE,
            live_only=True,
            finished_at=timezone.now(),
        )
    return len(cells)


def _forget_emptied(case: Case) -> None:
    """Dead letters whose images were taken into new chunks are none any more."""
    dead = Chunk.objects.filter(case=case, state=Chunk.State.DEAD, live_only=True)
    dead.filter(images=None).update(state=Chunk.State.DONE)
