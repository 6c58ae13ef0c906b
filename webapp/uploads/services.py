"""Uploads, from the upload form to the chunks for the model.

`begin` makes the rows and the links, the client posts the bytes straight to the object store, `complete`
enqueues the images. `receive` takes files in one request, through the web process.

Files are deduplicated by their bytes, never by their names: one whose digest the case has gets no second row.
Until a worker has measured it, a row's digest is what its client claimed; where other bytes came, the worker
refuses the row, so that it cannot stand for a file that never arrived.
"""

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django_scopes import scopes_disabled

from serving.contract.sentence import N_, Sentence
from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.cases import processing
from webapp.cases.closing import check_under_way
from webapp.cases.models import Case, Image, Slide
from webapp.cases.refusals import NO_VERDICT, Refusal
from webapp.cases.specimen_services import NoSuchSlide
from webapp.inference import services as inference
from webapp.storage import objects
from webapp.uploads.names import may_be_image, shown_name

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class File:
    """A file as its client describes it; `sha256` of its bytes where the client has computed it.

    `replaces` is the id of the case's refused or failed image in whose place it is given.
    """

    name: str
    size: int
    sha256: bytes | None = None
    replaces: int | None = None


@dataclass(frozen=True)
class Upload:
    """The row of a file, and how to send its bytes.

    Attributes:
        form: None where they are not wanted: the file is refused outright, or the case has it.
        already: the case had this row before; it may bear the name of another file with the same bytes.
    """

    image: Image
    form: dict[str, Any] | None
    already: bool = False


class CannotBeReplaced(Exception):
    """What a file was to be given for needs none: it was replaced meanwhile, counts, or waits. Nothing was
    begun."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        super().__init__(name)

    def __str__(self) -> str:
        if not self.name:
            return _("This case has no such file to replace.")
        text = _("%(name)s needs no other file any more: it was replaced, or is tried again. Look again.")
        return text % {"name": self.name}


def begin(
    case: Case,
    files: Sequence[File],
    *,
    by: User | None = None,
    again: bool = False,
    slide: Slide | None = None,
) -> list[Upload]:
    """The row of each of `files`, with a presigned form where its bytes are wanted.

    A file that cannot be taken is recorded as refused, so that it is not silently missing from the case. One
    that the case has, by its digest, gets no second row; if its bytes never came, it gets one for the first.
    With `again`, so does one that was refused for its content: a newer release may judge it otherwise.

    A file that is given in place of one which was refused or failed accounts for that one, whatever becomes
    of it: it is the one to look after from now on. So does a picture that the case has and that counts.

    Args:
        by: who gives them.
        slide: of which of the case's slides new images are; what the case has stays as it is. One that is
            given in place of another is of that one's.

    Raises:
        CannotBeReplaced: what a file is to be given for needs none.
        NoSuchSlide: it is none of the case's.
        ReviewOver: the case is signed or void.
    """
    known = _known(case, [file.sha256 for file in files])
    reopened = _reopened(known.values()) if again else []
    replaced = _replaced(case, files)
    uploads, new = [], []
    for file in files:
        if (image := _row_of(file, known)) is not None:
            uploads.append(Upload(image, _form(image) if _wants_bytes(image) else None, already=True))
            continue
        image = _new_image(case, file, slide, by, replaced)
        new.append(image)
        if file.sha256 is not None:
            known[file.sha256, file.size] = image
        uploads.append(Upload(image, None if image.refusal else _form(image)))
    if new or reopened or replaced:
        with transaction.atomic():
            _hold(slide, case)
            processing.lock(case.id)
            check_under_way(case.id)
            Image.objects.bulk_update(reopened, ["status", "created_at", "refusal", "reason", "finished_at"])
            Image.objects.bulk_create(new)
            pairs = zip(files, uploads, strict=True)
            _account_for(
                case, [(replaced[file.replaces], upload.image) for file, upload in pairs if file.replaces]
            )
            processing.settle(case.id)
    return uploads


def renew(case: Case, image_ids: Iterable[int]) -> list[Upload]:
    """Those of a case's images again, with a fresh form where their bytes are still wanted."""
    images = Image.objects.filter(case=case, id__in=image_ids).order_by("id")
    return [Upload(image, _form(image) if _wants_bytes(image) else None, already=True) for image in images]


@transaction.atomic
def complete(case: Case, image_ids: Sequence[int], *, bulk: bool = False) -> int:
    """Enqueue uploaded images; returns how many were accepted now.

    May be called again with the same ids: an image is accepted once. One that was refused as never uploaded,
    because its line was slow, is accepted after all.
    `bulk` says that nobody waits at a screen.

    Raises:
        ReviewOver: the case is signed or void.
    """
    processing.lock(case.id)
    not_uploaded = Q(status=Image.Status.REFUSED, refusal__in=NO_VERDICT)
    waiting = Image.objects.filter(
        not_uploaded | Q(status=Image.Status.AWAITING_UPLOAD),
        case=case,
        id__in=image_ids,
        replaced_by=None,
    )
    accepted = list(waiting.select_for_update().order_by("id").values_list("id", flat=True))
    if accepted:
        check_under_way(case.id)
    Image.objects.filter(id__in=accepted).update(
        status=Image.Status.RECEIVED, received_at=timezone.now(), refusal="", reason=None, finished_at=None
    )
    inference.enqueue_images(case, accepted, bulk=bulk)
    if accepted:
        record(
            Action.IMAGES_UPLOADED,
            lab=case.lab_id,
            subject=case.accession,
            subject_id=f"case {case.id}",
            after={"images": len(accepted)},
        )
    return len(accepted)


def receive(
    case: Case,
    files: Sequence[tuple[str, int, IO[bytes]]],
    *,
    by: User | None = None,
    slide: Slide | None = None,
    replaces: int | None = None,
) -> list[Upload]:
    """Take files, each (name, size in bytes, content), through the web process.

    This is for clients that cannot post to the store. Returns the row of each file, in their order.

    Args:
        by, slide: as for `begin`.
        replaces: in place of which of the case's refused or failed images a single file is given.

    Raises:
        CannotBeReplaced, NoSuchSlide, ReviewOver: as for `begin`.
    """
    described = [File(name, size, _digest(content), replaces) for name, size, content in files]
    replaced = _replaced(case, described)
    known = _known(case, [file.sha256 for file in described])
    uploads, new, arrived = [], [], []
    for file, (*_described, content) in zip(described, files, strict=True):
        image = _row_of(file, known)
        already = image is not None
        if image is None:
            image = known[file.sha256, file.size] = _new_image(case, file, slide, by, replaced)
            new.append(image)
        if _wants_bytes(image) and image not in arrived:
            objects.put(image.key, content, "application/octet-stream")
            arrived.append(image)
        uploads.append(Upload(image, None, already))
    with transaction.atomic():
        _hold(slide, case)
        processing.lock(case.id)
        if new or arrived:
            check_under_way(case.id)
        Image.objects.bulk_create(new)
        _account_for(case, [(before, upload.image) for before in replaced.values() for upload in uploads])
        processing.settle(case.id)  # where all are refused, nothing is completed
        complete(case, [image.id for image in arrived])
    return uploads


def finish_abandoned() -> int:
    """Complete uploads whose client went away before `complete`; returns how many.

    The worker asks the store for each: what did arrive is classified, what did not is refused as never
    uploaded. Either way it shows on the case. Runs over all labs.
    """
    older_than = timedelta(seconds=settings.UPLOAD_ABANDONED_SECONDS)
    with scopes_disabled():
        abandoned = Image.objects.filter(
            status=Image.Status.AWAITING_UPLOAD, created_at__lt=timezone.now() - older_than
        )
        by_case: dict[Case, list[int]] = {}
        for image in abandoned.select_related("case").order_by("id")[:10_000]:
            by_case.setdefault(image.case, []).append(image.id)
        return sum(complete(case, ids, bulk=True) for case, ids in by_case.items())


def _wants_bytes(image: Image) -> bool:
    """Whether the bytes of an image never came, or came as others, and nothing was given in its place."""
    if image.replaced_by_id:
        return False
    if image.status == Image.Status.REFUSED:
        return image.refusal in NO_VERDICT
    return image.status == Image.Status.AWAITING_UPLOAD


def _known(case: Case, digests: Iterable[bytes | None]) -> dict[tuple[bytes | None, int], Image]:
    """The case's rows with these digests, by digest and size; of several the one that counts."""
    wanted = {digest for digest in digests if digest is not None}
    if not wanted:
        return {}
    found = Image.objects.filter(case=case, sha256__in=wanted).select_related("in_chunk").order_by("-id")
    # The last one set wins.
    ranked = sorted(
        found, key=lambda image: (image.status == Image.Status.CLASSIFIED, not _wants_bytes(image))
    )
    return {(bytes(image.sha256 or b""), image.bytes): image for image in ranked}


def _reopened(images: Iterable[Image]) -> list[Image]:
    """What workers refused for its content, open again. If its client goes away, the timer completes it."""
    judged = [
        image
        for image in images
        if image.status == Image.Status.REFUSED and not image.replaced_by_id and _went_to_a_worker(image)
    ]
    for image in judged:
        image.status, image.created_at = Image.Status.AWAITING_UPLOAD, timezone.now()
        image.refusal, image.reason, image.finished_at = "", None, None
    return judged


def _row_of(file: File, known: Mapping[tuple[bytes | None, int], Image]) -> Image | None:
    image = known.get((file.sha256, file.size))
    if image and image.refusal and not _went_to_a_worker(image):
        # Judged by its name or size alone: it may have a better one now, or the limit may be another.
        now = _refusal(shown_name(file.name), file.size)
        return image if now and now[0] == image.refusal else None
    return image


def _went_to_a_worker(image: Image) -> bool:
    """Whether its bytes were looked at, not its name and size alone."""
    return hasattr(image, "in_chunk")


def _digest(content: IO[bytes]) -> bytes:
    digest = hashlib.file_digest(content, "sha256").digest()  # type: ignore[arg-type] # any binary file will do
    content.seek(0)
    return digest


def _form(image: Image) -> dict[str, Any]:
    return objects.upload_form(image.key, settings.UPLOAD_MAX_BYTES)


def _hold(slide: Slide | None, case: Case) -> None:
    """Keep the slide of the case from being removed until the transaction ends."""
    if slide and not Slide.objects.select_for_update(no_key=True).filter(id=slide.id, case=case):
        raise NoSuchSlide


def _replaced(case: Case, files: Iterable[File]) -> dict[int, Image]:
    """The case's images in whose place files are given.

    Raises:
        CannotBeReplaced: one is not there, or needs no other.
    """
    wanted = {file.replaces for file in files if file.replaces}
    found = Image.objects.filter(case=case, id__in=wanted).select_related("slide").in_bulk()
    if wanted - found.keys():
        raise CannotBeReplaced
    for image in found.values():
        if image.status not in Image.UNUSABLE or image.replaced_by_id:
            raise CannotBeReplaced(image.name)
    return found


def _account_for(case: Case, pairs: Iterable[tuple[Image, Image]]) -> None:
    """Note what was given in place of each image; the case is locked.

    Raises:
        CannotBeReplaced: somebody else gave another meanwhile, or it is tried again.
    """
    let_go = []
    for before, now in pairs:
        if now.id == before.id or not _accounts(now):
            continue
        free = Image.objects.filter(id=before.id, status__in=Image.UNUSABLE, replaced_by=None)
        if not free.update(replaced_by=now):
            raise CannotBeReplaced(before.name)
        let_go.append(before.id)
        record(
            Action.IMAGE_REPLACED,
            lab=case.lab_id,
            subject=case.accession,
            subject_id=f"case {case.id}",
            before={"image": before.id},
            after={"image": now.id},
        )
    if let_go:
        inference.let_go(case, let_go)


def _accounts(image: Image) -> bool:
    """Whether an image can stand for another: one that has been judged and does not count cannot."""
    if image.replaced_by_id:
        return False
    return image.status not in Image.UNUSABLE or _wants_bytes(image) or not _went_to_a_worker(image)


def _new_image(
    case: Case, file: File, slide: Slide | None, by: User | None, replaced: Mapping[int, Image]
) -> Image:
    name = shown_name(file.name)
    if file.replaces:
        slide = slide or replaced[file.replaces].slide
    image = Image(
        lab_id=case.lab_id,
        case=case,
        slide=slide,
        uploaded_by=by,
        name=name,
        key=f"labs/{case.lab_id}/cases/{case.id}/{uuid.uuid4().hex}",
        bytes=file.size,
        sha256=file.sha256,
    )
    if refused := _refusal(name, file.size):
        image.refusal, image.reason = refused
        image.status, image.finished_at = Image.Status.REFUSED, timezone.now()
    return image


def _refusal(name: str, size: int) -> tuple[Refusal, Sentence | None] | None:
    """Why a file is refused for what it is called and how large it is, and what its code does not say."""
    if not may_be_image(name):
        return Refusal.UNSUPPORTED_TYPE, None
    if size == 0:
        return Refusal.EMPTY, None
    if size > settings.UPLOAD_MAX_BYTES:
        text = N_("The file is larger than the %(megabytes)s MB that this server takes.")
        return Refusal.TOO_LARGE, Sentence(text, {"megabytes": round(settings.UPLOAD_MAX_BYTES / MEGABYTE)})
    return None
