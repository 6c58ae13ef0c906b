"""Celery tasks: each fetches, calls a service, and returns."""

from datetime import timedelta

from workers.celery import LabTask, app
from workers.chunks import work_on
from webapp.inference import services as inference
from webapp.outbox import services as outbox
from webapp.uploads import services as uploads


@app.task(base=LabTask, name=inference.CLASSIFY, bind=True)
def classify_chunk(self: LabTask, chunk_id: str) -> None:
    info = self.request.delivery_info or {}
    work_on(int(chunk_id), task_id=self.request.id or "", redelivered=bool(info.get("redelivered")))


@app.task(name="recover_lost_chunks")
def recover_lost_chunks() -> int:
    return inference.recover_lost()


@app.task(name="finish_abandoned_uploads")
def finish_abandoned_uploads() -> int:
    return uploads.finish_abandoned()


@app.task(name="forget_sent_tasks")
def forget_sent_tasks() -> int:
    return outbox.forget_sent(older_than=timedelta(hours=1))
