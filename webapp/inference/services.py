"""The life of a chunk: handed over, claimed, then recorded, put back, or given up.

A worker's claim counts as an attempt; an outage of the model server or the object store is nobody's fault, so
it gives the attempt back and waits. After CHUNK_MAX_ATTEMPTS a chunk of several images is halved, so that one
picture that brings workers down cannot take its neighbours with it; a single image becomes a dead letter, for
a person.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone
from django_scopes import scopes_disabled

from serving.contract import MAX_BATCH
from webapp.audit import services as audit
from webapp.audit.actions import Action
from webapp.cases.models import Case, Image
from webapp.cases.refusals import Refusal
from webapp.inference.models import Chunk, Prediction, Queue
from webapp.outbox import services as outbox
from webapp.registry.models import ModelVersion

CLASSIFY = "classify_chunk"  # the task's name; workers register it
INTERACTIVE_LIMIT = 2 * MAX_BATCH  # with more images under way, nobody waits for the case at a screen


@dataclass(frozen=True)
class Refused:
    """Why an image is not taken; `sha256` and `size` are those of its bytes, where they were seen."""

    image_id: int
    refusal: Refusal
    detail: str
    sha256: bytes | None = None
    size: int | None = None


@dataclass(frozen=True)
class Classified:
    """One image's answer; arrays are bytes as `Prediction` keeps them."""

    image_id: int
    sha256: bytes
    size: int
    width: int
    height: int
    object_version: str
    media_type: str
    tile: int
    display_key: str
    cell_class: str
    confidence: float
    flagged: bool
    probabilities: list[float]
    evidence: bytes
    evidence_grid: int
    embedding: bytes
    distance: float


def hand_over(case: Case, image_ids: Sequence[int], *, bulk: bool = False) -> None:
    """Group received images into chunks and have them classified.

    Call in the transaction that received them.
    """
    if not image_ids:
        return
    under_way = Image.objects.filter(case=case, status=Image.Status.RECEIVED).count()
    queue = Queue.BULK if bulk or under_way > INTERACTIVE_LIMIT else Queue.INTERACTIVE
    groups = [image_ids[start : start + MAX_BATCH] for start in range(0, len(image_ids), MAX_BATCH)]
    chunks = Chunk.objects.bulk_create(Chunk(lab_id=case.lab_id, case=case, queue=queue) for _ in groups)
    for chunk, group in zip(chunks, groups, strict=True):
        Image.objects.filter(id__in=group).update(chunk=chunk)
    _enqueue(chunks)


@transaction.atomic
def claim(chunk_id: int, *, holder: str, redelivered: bool) -> Chunk | None:
    """Take a chunk to work on it; None if it is finished or in other hands.

    `holder` names the worker and the task. A message delivered again to the same holder means that the
    process that had it in hand is gone.
    """
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
        chunk.error = chunk.error or "The worker stopped each time it had these images in hand."
        _halve_or_give_up(chunk)
        return None
    chunk.state, chunk.attempts = Chunk.State.RUNNING, chunk.attempts + 1
    chunk.claimed_by, chunk.lease_until = holder, now + _lease()
    # What an outage left is not what may stop this attempt; `_halve_or_give_up` must not repeat it.
    chunk.error = ""
    chunk.save(update_fields=["state", "attempts", "claimed_by", "lease_until", "error"])
    return chunk


@transaction.atomic
def record(
    chunk: Chunk,
    version: ModelVersion | None,
    answers: Sequence[Classified],
    refusals: Sequence[Refused],
    sheet_key: str,
) -> None:
    """Write a chunk's results, all or nothing; a second delivery of the same work changes nothing.

    `version` is None only where every image was refused. An image that the case has already, by its bytes, is
    refused as a duplicate here, where it can be decided under the case's lock.
    """
    _lock_case(chunk.case_id)
    if not _still_held(chunk):
        return
    new, duplicates = _without_duplicates(chunk.case_id, answers)
    now = timezone.now()
    _refuse([*refusals, *duplicates], now)
    if version is not None:
        _classify(new, now)
        Prediction.objects.bulk_create(
            Prediction(
                image_id=answer.image_id,
                model_version=version,
                cell_class=answer.cell_class,
                confidence=answer.confidence,
                flagged=answer.flagged,
                probabilities=answer.probabilities,
                evidence=answer.evidence,
                evidence_grid=answer.evidence_grid,
                embedding=answer.embedding,
                distance=answer.distance,
            )
            for answer in new
        )
    chunk.state, chunk.finished_at, chunk.sheet_key, chunk.error = Chunk.State.DONE, now, sheet_key, ""
    chunk.save(update_fields=["state", "finished_at", "sheet_key", "error"])
    if chunk.deferrals:
        outbox.hurry(CLASSIFY)  # the others that wait for what was away need not wait longer


@transaction.atomic
def put_back(chunk: Chunk, why: str) -> None:
    """Something the chunk needs cannot be reached: give the attempt back and try again later.

    This goes on for as long as it takes.
    """
    if not _still_held(chunk):
        return
    chunk.attempts -= 1
    chunk.deferrals += 1
    _try_again(chunk, why, _back_off(chunk.deferrals))


@transaction.atomic
def split_off(chunk: Chunk, image_ids: Sequence[int]) -> bool:
    """Make those of the chunk's images that had no turn a chunk of their own, which begins with no attempt.

    It is a bulk one, so that one lab's slow pictures keep nobody waiting at a screen. If none of the chunk
    had a turn, the chunk itself is put back. Returns whether anything of it is left to do.
    """
    if not _still_held(chunk):
        return False
    mine = Image.objects.filter(chunk=chunk, status=Image.Status.RECEIVED)
    if not mine.exclude(id__in=image_ids).exists():
        put_back(chunk, "The images were too slow to come.")
        return False
    other = Chunk.objects.create(lab_id=chunk.lab_id, case_id=chunk.case_id, queue=Queue.BULK)
    mine.filter(id__in=image_ids).update(chunk=other)
    _enqueue([other])
    return True


@transaction.atomic
def attempt_failed(chunk: Chunk, why: str) -> None:
    """The attempt was the chunk's own failure: try again; after CHUNK_MAX_ATTEMPTS halve it or give it up."""
    if not _still_held(chunk):
        return
    chunk.deferrals = 0  # whatever it waited for has answered
    if chunk.attempts >= settings.CHUNK_MAX_ATTEMPTS:
        chunk.error = why[:500]
        _halve_or_give_up(chunk)
    else:
        _try_again(chunk, why, _back_off(chunk.attempts))


@transaction.atomic
def give_up(chunk: Chunk, why: str) -> None:
    """The model server refused the request itself, so asking again is of no use: a dead letter at once."""
    if _still_held(chunk):
        _bury(chunk, why)


@transaction.atomic
def requeue(case: Case) -> int:
    """Have a case's dead letters tried again, from the first attempt; returns how many images."""
    dead = list(Chunk.objects.select_for_update().filter(case=case, state=Chunk.State.DEAD).order_by("id"))
    images = Image.objects.filter(chunk__in=dead, status=Image.Status.FAILED).update(
        status=Image.Status.RECEIVED, detail="", finished_at=None
    )
    Chunk.objects.filter(id__in=[chunk.id for chunk in dead]).update(
        state=Chunk.State.QUEUED,
        attempts=0,
        deferrals=0,
        error="",
        finished_at=None,
        lease_until=None,
        claimed_by="",
    )
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
def release_claims(worker: str, *, blameless: bool = False) -> int:
    """A worker of this name has just started or ended, so whatever it held is free at once; returns how many.

    `blameless`: it was told to end before it could finish, which counts against no image. Runs over all labs.
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
    """Enqueue chunks again that nobody works on any more: their worker or their message is gone.

    A chunk is lost when its lease is over and no message for it is waiting to be sent, or was sent within
    the time of a lease. Returns how many were found. Runs over all labs.
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


def _lease() -> timedelta:
    return timedelta(seconds=settings.CHUNK_LEASE_SECONDS)


def _back_off(retry: int) -> timedelta:
    """How long to wait before the retry of this number, from 1."""
    wait = settings.CHUNK_RETRY_FIRST_SECONDS * 2 ** min(retry - 1, 16)
    return timedelta(seconds=min(wait, settings.CHUNK_RETRY_LONGEST_SECONDS))


def _enqueue(chunks: Sequence[Chunk], wait: timedelta = timedelta(0)) -> None:
    by_target: dict[tuple[UUID, str], list[int]] = {}
    for chunk in chunks:
        by_target.setdefault((chunk.lab_id, chunk.queue), []).append(chunk.id)
    for (lab_id, queue), ids in by_target.items():
        outbox.enqueue(lab_id, queue, CLASSIFY, ids, wait=wait)


def _try_again(chunk: Chunk, why: str, wait: timedelta) -> None:
    chunk.state, chunk.error, chunk.lease_until, chunk.claimed_by = Chunk.State.QUEUED, why[:500], None, ""
    chunk.save(update_fields=["state", "attempts", "deferrals", "error", "lease_until", "claimed_by"])
    # Jitter, so that what failed together does not return together.
    _enqueue([chunk], wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter


def _halve_or_give_up(chunk: Chunk) -> None:
    ids = list(Image.objects.filter(chunk=chunk).order_by("id").values_list("id", flat=True))
    if len(ids) < 2:
        _bury(chunk, chunk.error)
        return
    other = Chunk.objects.create(lab_id=chunk.lab_id, case_id=chunk.case_id, queue=Queue.BULK)
    Image.objects.filter(id__in=ids[len(ids) // 2 :]).update(chunk=other)
    chunk.attempts, chunk.queue = 0, Queue.BULK
    chunk.save(update_fields=["queue"])
    _try_again(chunk, chunk.error, timedelta(0))
    _enqueue([other])


def _bury(chunk: Chunk, why: str) -> None:
    now = timezone.now()
    chunk.state, chunk.error, chunk.finished_at = Chunk.State.DEAD, why[:500], now
    chunk.save(update_fields=["state", "error", "finished_at"])
    Image.objects.filter(chunk=chunk, status=Image.Status.RECEIVED).update(
        status=Image.Status.FAILED, detail=why[:300], finished_at=now
    )


def _lock_case(case_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(case_id)])


def _still_held(chunk: Chunk) -> bool:
    """Whether this claim is still the chunk's own; a lease that ran out may have passed it on.

    Locks the row.
    """
    return (
        Chunk.objects.select_for_update()
        .filter(id=chunk.id, state=Chunk.State.RUNNING, claimed_by=chunk.claimed_by, attempts=chunk.attempts)
        .exists()
    )


def _without_duplicates(
    case_id: UUID, answers: Sequence[Classified]
) -> tuple[list[Classified], list[Refused]]:
    """Split off the answers whose bytes the case has already, in an earlier chunk or earlier in this one."""
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
                    f"The same image is in this case as {first}; it is counted once.",
                    answer.sha256,
                    answer.size,
                )
            )
        else:
            seen[answer.sha256] = names[answer.image_id]
            new.append(answer)
    return new, duplicates


def _refuse(refusals: Sequence[Refused], now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE cases_image AS image
            SET status = 'refused', refusal = said.refusal, detail = said.detail, finished_at = %s,
                sha256 = coalesce(said.sha256, image.sha256), bytes = coalesce(said.bytes, image.bytes)
            FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bytea[], %s::bigint[])
                AS said (id, refusal, detail, sha256, bytes)
            WHERE image.id = said.id
            """,
            [
                now,
                [refused.image_id for refused in refusals],
                [refused.refusal.value for refused in refusals],
                [refused.detail[:300] for refused in refusals],
                [refused.sha256 for refused in refusals],
                [refused.size for refused in refusals],
            ],
        )


def _classify(answers: Sequence[Classified], now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE cases_image AS image
            SET status = 'classified', detail = '', finished_at = %s,
                sha256 = said.sha256, bytes = said.bytes, width = said.width, height = said.height,
                object_version = said.object_version, media_type = said.media_type, tile = said.tile,
                display_key = said.display_key
            FROM unnest(
                %s::bigint[], %s::bytea[], %s::bigint[], %s::int[], %s::int[], %s::text[], %s::text[],
                %s::smallint[], %s::text[]
            ) AS said (id, sha256, bytes, width, height, object_version, media_type, tile, display_key)
            WHERE image.id = said.id
            """,
            [
                now,
                [answer.image_id for answer in answers],
                [answer.sha256 for answer in answers],
                [answer.size for answer in answers],
                [answer.width for answer in answers],
                [answer.height for answer in answers],
                [answer.object_version for answer in answers],
                [answer.media_type for answer in answers],
                [answer.tile for answer in answers],
                [answer.display_key for answer in answers],
            ],
        )
