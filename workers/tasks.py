"""Celery tasks: each fetches, calls a service, and returns."""

from datetime import timedelta
from typing import Protocol

from celery.signals import worker_ready, worker_shutdown

from webapp.audit.anchors import anchor
from webapp.inference import services as inference
from webapp.outbox import services as outbox
from webapp.storage.objects import StorageUnavailable
from webapp.uploads import services as uploads
from workers.celery import LabTask, app
from workers.chunks import work_on


@app.task(base=LabTask, name=inference.CLASSIFY, bind=True)
def classify_chunk(self: LabTask, chunk_id: str) -> None:
    info = self.request.delivery_info or {}
    holder = f"{self.request.hostname}/{self.request.id}"
    work_on(int(chunk_id), holder=holder, redelivered=bool(info.get("redelivered")))


class Worker(Protocol):
    hostname: str


@worker_ready.connect  # for what a killed worker of this name left
@worker_shutdown.connect  # for what this one could not finish in time
def give_back(sender: Worker, **_: object) -> None:
    inference.release_claims(sender.hostname)


@app.task(name="recover_lost_chunks")
def recover_lost_chunks() -> int:
    return inference.recover_lost()


@app.task(name="finish_abandoned_uploads")
def finish_abandoned_uploads() -> int:
    return uploads.finish_abandoned()


@app.task(name="forget_sent_tasks")
def forget_sent_tasks() -> int:
    return outbox.forget_sent(older_than=timedelta(hours=1))


@app.task(
    name="anchor_audit",
    autoretry_for=StorageUnavailable,
    retry_backoff=60,
    retry_backoff_max=240,
    max_retries=20,
)
def anchor_audit() -> int:
    return len(anchor())
