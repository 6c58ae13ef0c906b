"""From a wish to upload to work for the model.

`begin` makes the rows and the links, the client posts the bytes straight to the object store, `complete`
hands the images over to the workers. `receive` is the plain road, in one request through the web process.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django_scopes import scopes_disabled

from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.cases.models import Case, Image
from webapp.cases.refusals import Refusal
from webapp.inference.services import hand_over
from webapp.storage import objects
from webapp.uploads.names import has_image_extension, shown_name

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Upload:
    """An image about to be uploaded; `form` is None where the file was refused outright."""

    image: Image
    form: dict[str, Any] | None


def begin(case: Case, files: Iterable[tuple[str, int]]) -> list[Upload]:
    """Make a row and a presigned upload form for each (name, size in bytes) of `files`.

    A file that cannot be taken is recorded as refused, so that it is not silently missing from the case.
    """
    images = [_new_image(case, name, size) for name, size in files]
    Image.objects.bulk_create(images)
    return [
        Upload(image, None if image.refusal else objects.upload_form(image.key, settings.UPLOAD_MAX_BYTES))
        for image in images
    ]


@transaction.atomic
def complete(case: Case, image_ids: Sequence[int], *, bulk: bool = False) -> int:
    """Hand uploaded images to the workers; returns how many were accepted now.

    May be called again with the same ids: an image is accepted once.
    `bulk` says that nobody waits at a screen.
    """
    waiting = Image.objects.filter(case=case, id__in=image_ids, status=Image.Status.AWAITING_UPLOAD)
    accepted = list(waiting.select_for_update().order_by("id").values_list("id", flat=True))
    Image.objects.filter(id__in=accepted).update(status=Image.Status.RECEIVED, received_at=timezone.now())
    hand_over(case, accepted, bulk=bulk)
    if accepted:
        record(
            Action.IMAGES_UPLOADED,
            lab=case.lab_id,
            subject=case.accession,
            subject_id=f"case {case.id}",
            after={"images": len(accepted)},
        )
    return len(accepted)


def receive(case: Case, files: Iterable[tuple[str, int, IO[bytes]]]) -> list[Image]:
    """Take files, each (name, size in bytes, content), through the web process.

    This is for clients that cannot post to the store.
    """
    images = []
    for name, size, content in files:
        image = _new_image(case, name, size)
        if not image.refusal:
            objects.put(image.key, content, "application/octet-stream")
        images.append(image)
    with transaction.atomic():
        Image.objects.bulk_create(images)
        complete(case, [image.id for image in images])
    return list(Image.objects.filter(id__in=[image.id for image in images]).order_by("id"))


def finish_abandoned(older_than: timedelta = timedelta(hours=2)) -> int:
    """Hand over uploads whose client went away before saying `complete`; returns how many.

    What did arrive is classified, what did not is refused as never uploaded: either way it shows on the case.
    A file that was asked for again since, by the same name and size, is left to that later row.
    Runs over all labs.
    """
    with scopes_disabled():
        abandoned = Image.objects.filter(
            status=Image.Status.AWAITING_UPLOAD, created_at__lt=timezone.now() - older_than
        )
        again = Image.objects.filter(
            case=OuterRef("case"), name=OuterRef("name"), bytes=OuterRef("bytes"), id__gt=OuterRef("id")
        )
        abandoned.filter(Exists(again)).delete()
        by_case: dict[Case, list[int]] = {}
        for image in abandoned.select_related("case").order_by("id")[:10_000]:
            by_case.setdefault(image.case, []).append(image.id)
        return sum(complete(case, ids, bulk=True) for case, ids in by_case.items())


def _new_image(case: Case, given_name: str, size: int) -> Image:
    name = shown_name(given_name)
    image = Image(
        lab_id=case.lab_id,
        case=case,
        name=name,
        key=f"labs/{case.lab_id}/cases/{case.id}/{uuid.uuid4().hex}",
        bytes=size,
    )
    if not has_image_extension(name):
        image.refusal, image.detail = Refusal.UNSUPPORTED_TYPE, Refusal.UNSUPPORTED_TYPE.label
    elif size == 0:
        image.refusal, image.detail = Refusal.EMPTY, Refusal.EMPTY.label
    elif size > settings.UPLOAD_MAX_BYTES:
        image.refusal = Refusal.TOO_LARGE
        limit = settings.UPLOAD_MAX_BYTES / MEGABYTE
        image.detail = f"The file is larger than the {limit:.0f} MB that this server takes."
    if image.refusal:
        image.status, image.finished_at = Image.Status.REFUSED, timezone.now()
    return image
