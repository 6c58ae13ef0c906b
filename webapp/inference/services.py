"""The life of a chunk: enqueued, claimed, then recorded, retried, deferred, or a dead letter.

A worker's claim counts as an attempt, and a failed attempt is retried. While the model server or the object
store is away, the chunk is deferred: that counts as no attempt. After CHUNK_MAX_ATTEMPTS a chunk of several
images is halved, so that one picture that brings workers down cannot take its neighbours with it. A single
image becomes a dead letter, which a person can requeue.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django_scopes import scopes_disabled

from serving.contract import MAX_BATCH
from serving.contract.sentence import N_, Sentence
from webapp.audit import services as audit
from webapp.audit.actions import Action
from webapp.cases import processing
from webapp.cases.closing import check_under_way
from webapp.cases.models import SOON, Case, Image, Priority
from webapp.cases.refusals import Refusal
from webapp.inference import rows
from webapp.inference.answers import Classified, Refused
from webapp.inference.models import OPEN, Chunk, ChunkImage
from webapp.language.sentences import as_written
from webapp.outbox import services as outbox
from webapp.outbox.events import ImagesClassified, publish
from webapp.outbox.queues import Queue
from webapp.outbox.retrying import back_off
from webapp.registry import selectors as registry
from webapp.registry.models import ModelVersion

CLASSIFY = "classify_chunk"  # the task's name; workers register it
WAITING = (Image.Status.RECEIVED, Image.Status.CLASSIFIED)  # for a first answer, or for another
INTERACTIVE_LIMIT = 2 * MAX_BATCH  # with more images under way, nobody waits for the case at a screen


def enqueue_images(case: Case, image_ids: Sequence[int], *, bulk: bool = False, again: bool = False) -> None:
    """Group received images into chunks and have them classified; `again`: those that are classified.

    Call in the transaction that received them. What joins a case after it was re-run is asked of the same
    version; the lock keeps it from joining unseen. Those of a case that is wanted soon are interactive,
    whatever their number.
    """
    if not image_ids:
        return
    processing.lock(case.id)
    live_only = again or Chunk.objects.filter(case=case, live_only=True).exists()
    under_way = Image.objects.filter(case=case, status=Image.Status.RECEIVED).count()
    wanted_soon = not again and Case.objects.filter(id=case.id, priority__in=SOON).exists()
    is_bulk = not wanted_soon and (bulk or under_way > INTERACTIVE_LIMIT)
    queue = Queue.BULK if is_bulk else Queue.INTERACTIVE
    groups = [image_ids[start : start + MAX_BATCH] for start in range(0, len(image_ids), MAX_BATCH)]
    chunks = Chunk.objects.bulk_create(
        Chunk(lab_id=case.lab_id, case=case, queue=queue, live_only=live_only) for _ in groups
    )
    ChunkImage.objects.bulk_create(
        (
            ChunkImage(image_id=image_id, chunk=chunk)
            for chunk, group in zip(chunks, groups, strict=True)
            for image_id in group
        ),
        update_conflicts=True,  # it was in another before, if its bytes come again or it is asked of again
        unique_fields=["image"],
        update_fields=["chunk"],
    )
    processing.settle(case.id)
    _enqueue(chunks)


@transaction.atomic
def claim(chunk_id: int, *, holder: str, redelivered: bool) -> Chunk | None:
    """Take a chunk to work on it, under a lease; None if it is finished or another holds its lease.

    `holder` names the worker and the task. A message redelivered to the same holder means that the process
    that worked on it is gone.
    """
    worn_out = Chunk.objects.filter(id=chunk_id, attempts__gte=settings.CHUNK_MAX_ATTEMPTS)
    for case_id in worn_out.values_list("case_id", flat=True):
        processing.lock(case_id)  # before the chunk, as `record` does
    chunk = Chunk.objects.select_for_update().filter(id=chunk_id).first()
    if chunk is None or chunk.state not in (Chunk.State.QUEUED, Chunk.State.RUNNING):
        return None
    now = timezone.now()
    ours_again = redelivered and chunk.claimed_by == holder
    if (
        chunk.state == Chunk.State.RUNNING
        and chunk.lease_until
        and chunk.lease_until > now
        and not ours_again
    ):
        return None
    if chunk.attempts >= settings.CHUNK_MAX_ATTEMPTS:
        chunk.reason = chunk.reason or Sentence(
            N_("The worker stopped each time it had these images in hand.")
        )
        _halve_or_dead_letter(chunk)
        return None
    chunk.state, chunk.attempts = Chunk.State.RUNNING, chunk.attempts + 1
    chunk.claimed_by, chunk.lease_until = holder, now + _lease()
    # The error of an earlier outage is not that of this attempt; `_halve_or_dead_letter` must not show it.
    chunk.reason = None
    chunk.save(update_fields=["state", "attempts", "claimed_by", "lease_until", "reason"])
    return chunk


@transaction.atomic
def record(
    chunk: Chunk,
    version: ModelVersion | None,
    answers: Sequence[Classified],
    refusals: Sequence[Refused],
    pack_key: str,
) -> None:
    """Write a chunk's results, all or nothing; a second delivery of the same work changes nothing.

    `version` is None only where every image was refused. An image that the case has already, by its bytes, is
    refused as a duplicate here: only the case's lock lets us deduplicate for sure. Of an image that was
    classified before, what is said anew is kept beside what was said, and counts; nothing else of it changes.

    Args:
        pack_key: where the tiles of all cells in `answers` lie in the object store.

    Raises:
        BoxOutsidePicture: a cell does not lie within its picture.
    """
    for answer in answers:
        answer.check()
    processing.lock(chunk.case_id)
    if not _holds_lease(chunk):
        return
    chunk.refresh_from_db(fields=["live_only"])
    if version is not None and chunk.live_only and version != registry.answering(chunk.lab_id):
        defer(chunk, Sentence(N_("The model server does not answer with the newest version yet.")))
        return
    known = _classified(answers, refusals)
    new, duplicates = _deduplicate(
        chunk.case_id, [answer for answer in answers if answer.image_id not in known]
    )
    now = timezone.now()
    refused = [*(refused for refused in refusals if refused.image_id not in known), *duplicates]
    rows.refuse(refused, now)
    if version is not None and new:
        rows.classify(chunk, version, new, pack_key, now)
    if version is not None and known:
        rows.say_again(version, [answer for answer in answers if answer.image_id in known])
    chunk.state, chunk.finished_at, chunk.reason = Chunk.State.DONE, now, None
    chunk.save(update_fields=["state", "finished_at", "reason"])
    if new or refused:  # else its images were classified before
        publish(ImagesClassified(chunk.lab_id, chunk.case_id, classified=len(new), refused=len(refused)))
    processing.settle(chunk.case_id)
    if chunk.deferrals:
        outbox.make_due(CLASSIFY)  # what was away is back: deferred chunks need not wait longer


@transaction.atomic
def defer(chunk: Chunk, why: Sentence) -> None:
    """Retry a chunk later because something it needs cannot be reached; the attempt does not count.

    The pauses back off, and there is no last retry.
    """
    if not _holds_lease(chunk):
        return
    chunk.attempts -= 1
    chunk.deferrals += 1
    _retry(chunk, why, _back_off(chunk.deferrals))


@transaction.atomic
def split_off(chunk: Chunk, image_ids: Sequence[int]) -> bool:
    """Move the images that nobody began into a chunk of their own, which begins with no attempt.

    It is a bulk one, so that one lab's slow pictures keep nobody waiting at a screen. If no image of the
    chunk was begun, the chunk itself is deferred. Returns whether anything of it is left to do.
    """
    if not _holds_lease(chunk):
        return False
    mine = ChunkImage.objects.filter(chunk=chunk, image__status__in=WAITING)
    if not mine.exclude(image_id__in=image_ids).exists():
        defer(chunk, Sentence(N_("The images were too slow to come.")))
        return False
    other = _beside(chunk)
    mine.filter(image_id__in=image_ids).update(chunk=other)
    _enqueue([other])
    return True


@transaction.atomic
def attempt_failed(chunk: Chunk, why: Sentence) -> None:
    """Retry after a failure of the chunk's own; after CHUNK_MAX_ATTEMPTS halve or dead-letter it."""
    processing.lock(chunk.case_id)
    if not _holds_lease(chunk):
        return
    chunk.deferrals = 0  # whatever it waited for has answered
    if chunk.attempts >= settings.CHUNK_MAX_ATTEMPTS:
        chunk.reason = why
        _halve_or_dead_letter(chunk)
    else:
        _retry(chunk, why, _back_off(chunk.attempts))


@transaction.atomic
def dead_letter(chunk: Chunk, why: Sentence) -> None:
    """Make it a dead letter at once: the model server rejected the request, and no retry would help."""
    processing.lock(chunk.case_id)
    if _holds_lease(chunk):
        _mark_dead(chunk, why)


@transaction.atomic
def set_priority(case: Case, priority: Priority) -> Priority:
    """Say how soon the case's result is needed; returns what was said before.

    From Urgent on, its images that wait in bulk chunks become interactive; what a worker has in hand is where
    it is, and becomes so if it must be retried. Those to come are seen to by `enqueue_images`.
    """
    processing.lock(case.id)
    before = Priority(
        Case.objects.select_for_update(no_key=True).values_list("priority", flat=True).get(id=case.id)
    )
    if before == priority:
        return before
    Case.objects.filter(id=case.id).update(priority=priority)
    case.priority = priority
    audit.record(
        Action.PRIORITY_CHANGED,
        lab=case.lab_id,
        subject=case.accession,
        subject_id=f"case {case.id}",
        before={"priority": as_written(before.label)},
        after={"priority": as_written(priority.label)},
    )
    if priority in SOON:
        _make_interactive(case)
    return before


@transaction.atomic
def requeue(case: Case, image_ids: Sequence[int] | None = None) -> int:
    """Enqueue a case's dead letters again, from the first attempt; returns how many images they have.

    Args:
        image_ids: those that hold one of these alone; None: all.

    Raises:
        ReviewOver: the case is signed or void.
    """
    processing.lock(case.id)
    check_under_way(case.id)
    found = Chunk.objects.select_for_update().filter(case=case, state=Chunk.State.DEAD).order_by("id")
    if image_ids is not None:
        held_by = ChunkImage.objects.filter(image_id__in=image_ids).values("chunk")
        found = found.filter(id__in=held_by)
    dead = list(found)
    held = Image.objects.filter(in_chunk__chunk__in=dead)
    images = held.filter(status=Image.Status.CLASSIFIED).count()
    images += held.filter(status=Image.Status.FAILED).update(
        status=Image.Status.RECEIVED, reason=None, finished_at=None
    )
    Chunk.objects.filter(id__in=[chunk.id for chunk in dead]).update(
        state=Chunk.State.QUEUED,
        attempts=0,
        deferrals=0,
        reason=None,
        finished_at=None,
        lease_until=None,
        claimed_by="",
    )
    processing.settle(case.id)
    _enqueue(dead)
    if images:
        audit.record(
            Action.IMAGES_REQUEUED,
            lab=case.lab_id,
            subject=case.accession,
            subject_id=f"case {case.id}",
            after={"images": images},
        )
    return images


@transaction.atomic
def let_go(case: Case, image_ids: Sequence[int]) -> None:
    """Take failed images, for which others were given, out of their dead letters: nobody requeues them."""
    processing.lock(case.id)
    dead = Chunk.objects.select_for_update().filter(case=case, state=Chunk.State.DEAD)
    held = ChunkImage.objects.filter(image_id__in=image_ids, chunk__in=dead)
    emptied = list(held.values_list("chunk_id", flat=True))
    held.delete()
    Chunk.objects.filter(id__in=emptied, images=None).update(state=Chunk.State.DONE)


@transaction.atomic
def release_claims(worker: str, *, blameless: bool = False) -> int:
    """End the leases of a worker that has just started or stopped, and enqueue its chunks; returns how many.

    `blameless`: it was stopped before it could finish, so the attempt does not count. Runs over all labs.
    """
    with scopes_disabled():
        held = Chunk.objects.select_for_update(skip_locked=True).filter(
            state=Chunk.State.RUNNING, claimed_by__startswith=f"{worker}/"
        )
        chunks = list(held)
        Chunk.objects.filter(id__in=[chunk.id for chunk in chunks]).update(
            lease_until=timezone.now(), attempts=F("attempts") - (1 if blameless else 0)
        )
        _enqueue(chunks)
    return len(chunks)


@transaction.atomic
def recover_lost() -> int:
    """Enqueue lost chunks again: their worker or their message is gone.

    A chunk is lost when its lease is over, no message for it waits to be sent, and none was sent within the
    time of a lease. Returns how many were found. Runs over all labs.
    """
    now = timezone.now()
    with scopes_disabled():
        lost = list(
            Chunk.objects.filter(state__in=[Chunk.State.QUEUED, Chunk.State.RUNNING])
            .filter(Q(lease_until=None) | Q(lease_until__lt=now))
            .extra(  # the outbox keeps a task's arguments as text, so there is no key to join on
                where=[
                    """
                    NOT EXISTS (
                        SELECT 1 FROM outbox_outboxentry AS o
                        WHERE o.task = %s AND o.args = ARRAY[inference_chunk.id::text]
                            AND (o.sent_at IS NULL OR o.sent_at > %s)
                    )
                    """
                ],
                params=[CLASSIFY, now - _lease()],
            )
            .select_for_update(skip_locked=True)
            .order_by("id")[:1000]
        )
        _enqueue(lost)
    return len(lost)


def _make_interactive(case: Case) -> None:
    """Have the case's bulk chunks that are not done pass those of others."""
    open_ones = Chunk.objects.select_for_update().filter(case=case, state__in=OPEN, queue=Queue.BULK)
    waiting = [chunk for chunk in open_ones.order_by("id") if chunk.state == Chunk.State.QUEUED]
    Chunk.objects.filter(case=case, state__in=OPEN, queue=Queue.BULK).update(queue=Queue.INTERACTIVE)
    moved = outbox.move(CLASSIFY, [chunk.id for chunk in waiting], Queue.INTERACTIVE)
    # What was handed to the broker waits there behind others' bulk: whichever message comes first counts.
    sent = [chunk.id for chunk in waiting if str(chunk.id) not in moved]
    if sent:
        outbox.enqueue(case.lab_id, Queue.INTERACTIVE, CLASSIFY, sent)


def _beside(chunk: Chunk) -> Chunk:
    """A chunk for some of its images. Its row is locked: the case may have been re-run since its claim."""
    chunk.refresh_from_db(fields=["live_only"])
    return Chunk.objects.create(
        lab_id=chunk.lab_id, case_id=chunk.case_id, queue=Queue.BULK, live_only=chunk.live_only
    )


def _classified(answers: Sequence[Classified], refusals: Sequence[Refused]) -> set[int]:
    """Which of the images were classified before: they are asked of again."""
    ids = [answer.image_id for answer in answers] + [refused.image_id for refused in refusals]
    return set(Image.objects.filter(id__in=ids, status=Image.Status.CLASSIFIED).values_list("id", flat=True))


def _lease() -> timedelta:
    return timedelta(seconds=settings.CHUNK_LEASE_SECONDS)


def _back_off(retry: int) -> timedelta:
    return back_off(
        retry, first=settings.CHUNK_RETRY_FIRST_SECONDS, longest=settings.CHUNK_RETRY_LONGEST_SECONDS
    )


def _enqueue(chunks: Sequence[Chunk], wait: timedelta = timedelta(0)) -> None:
    by_target: dict[tuple[UUID, Queue], list[int]] = {}
    for chunk in chunks:
        by_target.setdefault((chunk.lab_id, Queue(chunk.queue)), []).append(chunk.id)
    for (lab_id, queue), ids in by_target.items():
        outbox.enqueue(lab_id, queue, CLASSIFY, ids, wait=wait)


def _retry(chunk: Chunk, why: Sentence | None, wait: timedelta) -> None:
    chunk.refresh_from_db(fields=["queue"])  # the case's priority may be another than at its claim
    chunk.state, chunk.reason, chunk.lease_until, chunk.claimed_by = Chunk.State.QUEUED, why, None, ""
    chunk.save(update_fields=["state", "attempts", "deferrals", "reason", "lease_until", "claimed_by"])
    _enqueue([chunk], wait)


def _halve_or_dead_letter(chunk: Chunk) -> None:
    mine = ChunkImage.objects.filter(chunk=chunk)
    ids = list(mine.order_by("image_id").values_list("image_id", flat=True))
    if len(ids) < 2:
        _mark_dead(chunk, chunk.reason)
        return
    other = _beside(chunk)
    mine.filter(image_id__in=ids[len(ids) // 2 :]).update(chunk=other)
    chunk.attempts, chunk.queue = 0, Queue.BULK
    chunk.save(update_fields=["queue"])
    _retry(chunk, chunk.reason, timedelta(0))
    _enqueue([other])


def _mark_dead(chunk: Chunk, why: Sentence | None) -> None:
    now = timezone.now()
    chunk.state, chunk.reason, chunk.finished_at = Chunk.State.DEAD, why, now
    chunk.save(update_fields=["state", "reason", "finished_at"])
    Image.objects.filter(in_chunk__chunk=chunk, status=Image.Status.RECEIVED).update(
        status=Image.Status.FAILED, reason=why, finished_at=now
    )
    processing.settle(chunk.case_id)


def _holds_lease(chunk: Chunk) -> bool:
    """Whether this claim still holds the chunk's lease; else another worker may have claimed it since.

    Locks the row.
    """
    return (
        Chunk.objects.select_for_update()
        .filter(id=chunk.id, state=Chunk.State.RUNNING, claimed_by=chunk.claimed_by, attempts=chunk.attempts)
        .exists()
    )


def _deduplicate(case_id: UUID, answers: Sequence[Classified]) -> tuple[list[Classified], list[Refused]]:
    """Separate duplicates: answers whose bytes the case has, from an earlier chunk or from this one."""
    seen: dict[bytes, str] = {
        bytes(sha): name
        for sha, name in Image.objects.filter(
            case_id=case_id, status=Image.Status.CLASSIFIED, sha256__in=[answer.sha256 for answer in answers]
        ).values_list("sha256", "name")
        if sha is not None
    }
    names = dict(
        Image.objects.filter(id__in=[answer.image_id for answer in answers]).values_list("id", "name")
    )
    new, duplicates = [], []
    for answer in answers:
        if (first := seen.get(answer.sha256)) is not None:
            duplicates.append(
                Refused(
                    answer.image_id,
                    Refusal.DUPLICATE,
                    Sentence(
                        N_("The same image is in this case as %(name)s; it is counted once."), {"name": first}
                    ),
                    answer.sha256,
                    answer.size,
                )
            )
        else:
            seen[answer.sha256] = names[answer.image_id]
            new.append(answer)
    return new, duplicates
