"""Log context, trace and metrics of every task; its ids and its request's are in all of them."""

import time
from contextlib import ExitStack
from typing import Any

from celery import Task
from celery.signals import task_postrun, task_prerun, worker_init, worker_process_shutdown

from webapp.telemetry import exposition, metrics, tracing
from webapp.telemetry.context import resumed

CONTEXT = "hematovision"  # the message header
_OUTCOMES = {"SUCCESS": "done", "RETRY": "retry"}

_running: dict[str, tuple[float, ExitStack]] = {}


@worker_init.connect
def _on_worker_start(**_: object) -> None:
    tracing.set_service_name("worker")
    exposition.serve()


@worker_process_shutdown.connect
def _on_process_exit(pid: int, **_: object) -> None:
    tracing.end()
    exposition.process_ended(pid)


@task_prerun.connect
def _begin(task_id: str, task: Task, **_: object) -> None:  # type: ignore[type-arg]
    open_contexts = ExitStack()
    context: dict[str, str] = getattr(task.request, CONTEXT, None) or {}
    open_contexts.enter_context(resumed(context, task=task.name, task_id=task_id))
    queue = str((task.request.delivery_info or {}).get("routing_key", ""))
    open_contexts.enter_context(tracing.message("process", queue, task.name, task_id))
    _running[task_id] = time.perf_counter(), open_contexts


@task_postrun.connect
def _end(task_id: str, task: Task, state: str | None = None, **_: Any) -> None:  # type: ignore[type-arg]
    begun, open_contexts = _running.pop(task_id)
    outcome = _OUTCOMES.get(state or "", "failed")
    if outcome == "failed":
        tracing.describe({}, failure=state or "")
    open_contexts.close()
    metrics.task_seconds.labels(task.name, outcome).observe(time.perf_counter() - begun)
