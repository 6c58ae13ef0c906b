"""A chunk's way through a worker: fetch, verify and decode, one Predict, one write."""

import hashlib
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import repeat

import numpy as np
import numpy.typing as npt
import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from serving.client import (
    ModelClient,
    ModelError,
    ModelMissing,
    ModelRejected,
    ModelTimeout,
    ModelUnavailable,
    Predictions,
)
from serving.contract.sentence import N_, Sentence
from serving.decoder.pool import Decoders, DecodersBusy, DecoderUnavailable
from serving.decoder.refused import FileRefused
from webapp.cases.boxes import Box
from webapp.cases.models import Image
from webapp.cases.refusals import Refusal
from webapp.inference import services
from webapp.inference.answers import KEPT, CellAnswer, Classified, Refused, Span
from webapp.inference.models import Chunk
from webapp.registry import selectors as registry
from webapp.registry.models import ModelVersion
from webapp.storage import objects
from webapp.telemetry import metrics, tracing
from webapp.telemetry.context import in_threads
from workers.tile_pack import tile_pack

PREDICT = "tensorflow.serving.PredictionService/Predict"
FETCHERS = 8  # threads, which hide the store's latency
LONGEST = 300  # characters of what the model server says that people are shown
DECODERS = min(2, len(os.sched_getaffinity(0)))  # processes

log = structlog.get_logger(__name__)


class VersionUnknown(Exception):
    """The model server answered with a version that is not in the registry."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class NotBegun:
    """An image for which the chunk's time did not suffice."""

    image: Image


@dataclass(frozen=True)
class Prepared:
    """A picture ready for the model; `pixels` is uint8 [S, S, 3], `width` and `height` the original's."""

    image: Image
    pixels: npt.NDArray[np.uint8]
    width: int
    height: int
    sha256: bytes
    size: int
    object_version: str
    media_type: str
    display_key: str
    again: bool
    """It was classified before."""


def work_on(chunk_id: int, *, holder: str, redelivered: bool) -> None:
    """Classify a chunk, unless it is done or another worker holds its lease.

    Whatever goes wrong is written on the chunk's row: a retry, a deferral or a dead letter.
    """
    chunk = services.claim(chunk_id, holder=holder, redelivered=redelivered)
    if chunk is None:
        return
    tracing.describe({"hematovision.chunk": chunk.id, "hematovision.case": str(chunk.case_id)})
    with bound_contextvars(chunk=chunk.id, case=str(chunk.case_id)):
        _work_on(chunk)


def _work_on(chunk: Chunk) -> None:
    try:
        _classify(chunk)
    except ModelMissing as error:
        log.error("model missing", error=str(error))
        services.defer(chunk, Sentence(N_("The model server does not have the model yet.")))
    except ModelUnavailable as error:
        log.warning("model unavailable", error=str(error))
        services.defer(chunk, Sentence(N_("The model server does not answer.")))
    except objects.StorageUnavailable as error:
        log.warning("storage unavailable", error=str(error))
        _defer_or_retry(chunk, Sentence(N_("The image store could not give one of these images.")))
    except DecoderUnavailable:
        log.error("decoder unavailable")
        services.defer(chunk, Sentence(N_("The picture decoder does not start.")))
    except VersionUnknown as error:
        log.error("model version unknown", error=str(error))
        services.defer(chunk, error.sentence)
    except ModelRejected as error:
        log.error("model rejected the request", error=str(error))
        text = N_("The model server rejected the request: %(error)s")
        services.dead_letter(chunk, Sentence(text, {"error": str(error)[:LONGEST]}))
    except SoftTimeLimitExceeded:
        log.warning("chunk timed out")
        _defer_or_retry(chunk, Sentence(N_("These images took too long.")))
    except ModelTimeout as error:
        log.warning("model timed out", error=str(error))
        services.attempt_failed(chunk, Sentence(N_("The model took too long to answer.")))
    except ModelError as error:
        log.error("model failed", error=str(error))
        services.attempt_failed(
            chunk, Sentence(N_("The model failed on these images; the reason is in its log."))
        )
    except Exception as error:
        log.exception("chunk failed")
        text = N_("An unexpected error (%(kind)s); it is in the worker's log.")
        services.attempt_failed(chunk, Sentence(text, {"kind": type(error).__name__}))


def _defer_or_retry(chunk: Chunk, why: Sentence) -> None:
    """Defer the chunk while the store is away; if the store answers, these images failed."""
    if objects.answers():
        services.attempt_failed(chunk, why)
    else:
        services.defer(chunk, Sentence(N_("The image store does not answer.")))


def _classify(chunk: Chunk) -> None:
    images = list(Image.objects.filter(in_chunk__chunk=chunk, status__in=services.WAITING).order_by("id"))
    until = time.monotonic() + settings.CHUNK_TURN_SECONDS
    model = registry.model_name_for(chunk.lab_id)
    size = _input_size(model)
    with tracing.span("prepare images", {"hematovision.images": len(images)}):
        outcomes = list(_fetchers().map(in_threads(_prepare), images, repeat(size), repeat(until)))
    prepared = [outcome for outcome in outcomes if isinstance(outcome, Prepared)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    if refused and chunk.live_only:
        log.warning("images of a re-run not read", images=[one.image_id for one in refused])
    not_begun = [outcome.image.id for outcome in outcomes if isinstance(outcome, NotBegun)]
    if not_begun:
        log.info("chunk split", not_begun=len(not_begun), images=len(images))
        if not services.split_off(chunk, not_begun):
            return
    if not prepared:
        _record(chunk, None, [], refused, pack_key="")
        return
    new = [ready for ready in prepared if not ready.again]
    pack = _fetchers().submit(in_threads(_store_tiles), chunk, new)
    predictions = _ask(model, np.stack([ready.pixels for ready in prepared]))
    version = _version(predictions[0].model_name, predictions[0].version)
    pack_key, spans = pack.result()
    stored = iter(spans)
    tiles = [KEPT if ready.again else next(stored) for ready in prepared]
    answers = _answers(prepared, tiles, predictions, version)
    _record(chunk, version, answers, refused, pack_key=pack_key)
    _measure(chunk, version, answers, [ready.image for ready in prepared])


def _record(
    chunk: Chunk,
    version: ModelVersion | None,
    answers: Sequence[Classified],
    refused: Sequence[Refused],
    *,
    pack_key: str,
) -> None:
    counted = {"hematovision.classified": len(answers), "hematovision.refused": len(refused)}
    with tracing.span("write results", counted):
        services.record(chunk, version, answers, refused, pack_key=pack_key)


def _measure(
    chunk: Chunk, version: ModelVersion, answers: Sequence[Classified], images: Sequence[Image]
) -> None:
    named = {"model": version.name, "version": str(version.version)}
    for answer in answers:
        for cell in answer.cells:
            metrics.confidence.labels(**named).observe(cell.confidence)
            metrics.cells.labels(lab=chunk.lab_id, **named, flagged="yes" if cell.flagged else "no").inc()
    now = timezone.now()
    for image in images:
        if image.received_at and image.status == Image.Status.RECEIVED:
            waited = (now - image.received_at).total_seconds()
            metrics.image_seconds.labels(chunk.queue).observe(waited)


def _prepare(image: Image, size: int, until: float) -> Prepared | Refused | NotBegun:
    if time.monotonic() > until:
        return NotBegun(image)
    try:
        # Of one that was classified the bytes that were, whatever lies there now.
        data, object_version = objects.get(image.key, version=image.object_version)
    except objects.ObjectMissing:
        return Refused(image.id, Refusal.NOT_UPLOADED)
    sha256 = hashlib.sha256(data).digest()
    if image.sha256 is not None and bytes(image.sha256) != sha256:
        # Whoever announced other bytes would take this row for theirs.
        return Refused(image.id, Refusal.ALTERED)
    try:
        with tracing.span("decode image", {"hematovision.image": image.id}):
            picture = _decoders().read(data, size=size, until=until)
    except DecodersBusy:
        return NotBegun(image)
    except FileRefused as refused:
        return Refused(image.id, Refusal(refused.reason), refused.detail, sha256, len(data))
    display_key = ""
    again = image.status == Image.Status.CLASSIFIED
    if picture.display is not None and not again:
        display_key = f"{image.key}.png"
        objects.put(display_key, picture.display, "image/png")
    return Prepared(
        image=image,
        pixels=picture.pixels,
        width=picture.width,
        height=picture.height,
        sha256=sha256,
        size=len(data),
        object_version=object_version,
        media_type=picture.media_type,
        display_key=display_key,
        again=again,
    )


def _store_tiles(chunk: Chunk, prepared: Sequence[Prepared]) -> tuple[str, list[Span]]:
    """Store the pack of the cells' tiles; returns its key and where in it each tile lies.

    The key names the content, so that a late attempt cannot put other bytes where rows know these.
    """
    if not prepared:
        return "", []
    pack, tiles = tile_pack([ready.pixels for ready in prepared])
    content = hashlib.sha256(pack).hexdigest()[:16]
    key = f"labs/{chunk.lab_id}/cases/{chunk.case_id}/tiles/{chunk.id}-{content}"
    objects.put(key, pack, "application/octet-stream")
    return key, tiles


def _input_size(model: str) -> int:
    """What the newest published version takes. A server may be behind the registry: `_ask` sees to that."""
    newest = registry.published(model).first()
    if newest is None:
        raise VersionUnknown(Sentence(N_("No version of %(model)s is published here."), {"model": model}))
    return newest.contract.input_size


def _ask(model: str, pixels: npt.NDArray[np.uint8]) -> list[Predictions]:
    """One version's answers to all of uint8 [N, S, S, 3].

    Raises:
        ModelUnavailable: the server changes over to another version just now; the chunk can be tried again.
    """
    try:
        predictions = _predict(model, pixels)
    except ModelRejected as error:
        if _takes(model, pixels.shape[1]):
            raise
        # untranslated: for the log
        raise ModelUnavailable("a version of another input size answers") from error
    if len({(part.model_name, part.version) for part in predictions}) > 1:
        # untranslated: for the log
        raise ModelUnavailable("a new version went live between two halves of the chunk")
    return predictions


def _takes(model: str, size: int) -> bool:
    """Whether the version that answers takes pictures of that size; True where the server has none."""
    serving = [entry.version for entry in _model(model).status() if entry.state == "AVAILABLE"]
    return not serving or _version(model, max(serving)).contract.input_size == size


def _predict(model: str, pixels: npt.NDArray[np.uint8]) -> list[Predictions]:
    """Predict uint8 [N, S, S, 3] in one call; where that takes too long, in halves."""
    try:
        return [_timed(model, pixels)]
    except ModelTimeout:
        if len(pixels) == 1:
            raise
        half = len(pixels) // 2
        return _predict(model, pixels[:half]) + _predict(model, pixels[half:])


def _timed(model: str, pixels: npt.NDArray[np.uint8]) -> Predictions:
    begun = time.perf_counter()
    asked: dict[str, str | int] = {"hematovision.model": model, "hematovision.images": len(pixels)}
    with tracing.span(PREDICT, {"rpc.system.name": "grpc", "rpc.method": PREDICT} | asked, kind="client"):
        try:
            predictions = _model(model).predict(pixels, metadata=tracing.headers())
        except ModelError as error:
            metrics.model_failures.labels(model, type(error).__name__).inc()
            raise
        tracing.describe({"hematovision.version": predictions.version})
    metrics.model_seconds.labels(model).observe(time.perf_counter() - begun)
    metrics.model_images.labels(model).observe(len(pixels))
    return predictions


def _answers(
    prepared: Sequence[Prepared],
    tiles: Sequence[Span],
    predictions: Sequence[Predictions],
    version: ModelVersion,
) -> list[Classified]:
    """What was found out about each picture; each is of one cell, whose box is the whole picture."""
    probabilities = np.concatenate([part.probabilities for part in predictions])
    evidence = np.concatenate([part.evidence for part in predictions]).astype("<f2")
    embedding = np.concatenate([part.embedding for part in predictions]).astype("<f2")
    distance = np.concatenate([part.distance for part in predictions])
    flagged = version.contract.flags(probabilities, distance)
    best = probabilities.argmax(axis=1)
    return [
        Classified(
            image_id=ready.image.id,
            sha256=ready.sha256,
            size=ready.size,
            width=ready.width,
            height=ready.height,
            object_version=ready.object_version,
            media_type=ready.media_type,
            display_key=ready.display_key,
            cells=[
                CellAnswer(
                    box=Box(0, 0, ready.width, ready.height),
                    tile=tile,
                    cell_class=version.labels[best[place]],
                    confidence=float(probabilities[place, best[place]]),
                    flagged=bool(flagged[place]),
                    probabilities=probabilities[place].tolist(),
                    evidence=evidence[place].tobytes(),
                    evidence_grid=evidence.shape[1],
                    embedding=embedding[place].tobytes(),
                    distance=float(distance[place]),
                )
            ],
        )
        for place, (ready, tile) in enumerate(zip(prepared, tiles, strict=True))
    ]


@cache
def _version(name: str, number: int) -> ModelVersion:
    try:
        return ModelVersion.objects.get(name=name, version=number)
    except ModelVersion.DoesNotExist:
        text = N_(
            "The model server answers with version %(number)s of %(model)s, which is not registered here."
        )
        raise VersionUnknown(Sentence(text, {"number": number, "model": name})) from None


@cache
def _model(name: str) -> ModelClient:
    """Made in the process that uses it: gRPC channels do not survive a fork."""
    return ModelClient(
        settings.SERVING_TARGET,
        model_name=name,
        tls=settings.SERVING_CHANNEL,
        deadline_s=settings.MODEL_DEADLINE_SECONDS,
        attempts=settings.MODEL_MAX_ATTEMPTS,
        first_pause_s=settings.MODEL_RETRY_FIRST_SECONDS,
    )


@cache
def _decoders() -> Decoders:
    return Decoders(
        DECODERS,
        max_pixels=settings.UPLOAD_MAX_PIXELS,
        ended=lambda why: metrics.decoders_ended.labels(why).inc(),
    )


@cache
def _fetchers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(FETCHERS, thread_name_prefix="fetch")
