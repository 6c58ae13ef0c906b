"""How far the machine is with a case, kept with the case: `settle` makes it agree with the case's images.

Whoever writes the status of images takes the case's lock first, writes, and settles the case in the same
transaction. Under the lock those writers follow one another, so the last of several that end at once sees
what the others did.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Case as Switch
from django.db.models import CharField, Count, Exists, F, OuterRef, QuerySet, Value, When
from django_scopes import scopes_disabled

from webapp.cases.models import Case, Image, Processing
from webapp.outbox.events import ProcessingFinished, publish

AT_REST = (Processing.NEEDS_ATTENTION, Processing.DONE)
"""Where nothing more happens by itself: no image is awaited or waits for the model."""


def lock(case_id: UUID) -> None:
    """Keep others who would write what became of the case's images waiting, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(case_id)])


def settle(case_id: UUID) -> Processing | None:
    """Store how far the case is by its images; returns it where it is another than before.

    Call under the case's `lock`, after the images are written. That a case comes to rest is published, once
    for each time.
    """
    found = _by_images(Case.objects.filter(id=case_id)).exclude(processing=F("by_images"))
    changed = found.values_list("lab", "by_images").first()
    if changed is None:
        return None
    lab_id, now = changed[0], Processing(changed[1])
    Case.objects.filter(id=case_id).update(processing=now)
    if now in AT_REST:
        images = Image.objects.filter(case=case_id, replaced_by=None).order_by()
        counts = dict(images.values_list("status").annotate(Count("id")))
        n = {name: counts.get(name, 0) for name in ("classified", "refused", "failed")}
        publish(ProcessingFinished(lab_id, case_id, **n))
    return now


@dataclass(frozen=True)
class Unsettled:
    """A case whose stored state disagrees with its images."""

    case: UUID
    lab: UUID
    stored: str
    by_images: str


def unsettled() -> Iterator[Unsettled]:
    """Those of all labs; none, unless something wrote past `settle`."""
    with scopes_disabled():
        found = _by_images(Case.objects.all()).exclude(processing=F("by_images"))
    for row in found.values_list("id", "lab_id", "processing", "by_images").iterator():
        yield Unsettled(*row)


def _by_images(cases: QuerySet[Case]) -> QuerySet[Any]:
    # Each is one look into the index of images by case and status, however many images there are.
    images = Image.objects.filter(case=OuterRef("pk"))
    received, awaited, failed = (
        Exists(images.filter(status=status, replaced_by=None))
        for status in (Image.Status.RECEIVED, Image.Status.AWAITING_UPLOAD, Image.Status.FAILED)
    )
    return cases.annotate(
        by_images=Switch(
            When(received, then=Value(Processing.CLASSIFYING)),
            When(awaited, then=Value(Processing.RECEIVING)),
            When(failed, then=Value(Processing.NEEDS_ATTENTION)),
            When(Exists(images), then=Value(Processing.DONE)),
            default=Value(Processing.RECEIVING),
            output_field=CharField(),
        )
    ).order_by()
