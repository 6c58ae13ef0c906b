"""Traces: what a request set off, told as spans to a collector (OpenTelemetry).

A trace begins with a request to the web and goes along with the work that is put off (`context.carried`).
What happens outside one is not recorded. Names and attributes follow OpenTelemetry's semantic conventions;
values are ids of our own, routes and counts, never anything that people entered: no path, whose parts may be
secrets, and no exception's message.

Without `HEMATOVISION_TRACES_ENDPOINT` all of this does nothing, and nothing of OpenTelemetry is imported.
"""

import logging
import os
import time
from collections.abc import Mapping, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

TRACEPARENT = "traceparent"  # version, trace, span and flags

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Attributes = Mapping[str, str | int]
Operation = Literal["create", "send", "process"]

_NOTHING: AbstractContextManager[None] = nullcontext()


def begin(name: str, attributes: Attributes, *, caller: str = "") -> AbstractContextManager[None]:
    """A request of somebody else's, and with it a new trace.

    `caller` is the `traceparent` that came with the request (W3C Trace Context), linked but not continued:
    a stranger must not decide what is recorded, nor under which id it is found.
    """
    if not settings.TRACES_ENDPOINT:
        return _NOTHING
    from webapp.telemetry import otlp

    return otlp.begin(name, attributes, caller)


def resumed(traceparent: str) -> AbstractContextManager[None]:
    """Spans inside belong to the trace that `traceparent` told of, if there was one."""
    if not settings.TRACES_ENDPOINT:
        return _NOTHING
    from webapp.telemetry import otlp

    return otlp.resumed(traceparent)


def span(
    name: str, attributes: Attributes | None = None, *, kind: Kind = "internal"
) -> AbstractContextManager[None]:
    """A step of the trace that is open; nothing outside one.

    What it raises marks it as failed, by the exception's class alone.
    """
    if not settings.TRACES_ENDPOINT:
        return _NOTHING
    from webapp.telemetry import otlp

    return otlp.span(name, attributes, kind)


def message(operation: Operation, queue: str, task: str, id_: str = "") -> AbstractContextManager[None]:
    """What is done with a task on its way: written to the outbox, sent to the broker, worked on."""
    named = {"messaging.system": "celery", "messaging.destination.name": queue, "hematovision.task": task}
    if id_:
        named["messaging.message.id"] = id_
    done = {"messaging.operation.name": operation, "messaging.operation.type": operation}
    kind: Kind = "consumer" if operation == "process" else "producer"
    return span(f"{operation} {queue}", {**named, **done}, kind=kind)


def describe(attributes: Attributes, *, name: str = "", failure: str = "") -> None:
    """Add to the span that is open what became known since it began."""
    if settings.TRACES_ENDPOINT:
        from webapp.telemetry import otlp

        otlp.describe(attributes, name, failure)


def headers() -> dict[str, str]:
    """What tells others of the span that is open (W3C Trace Context); empty where nothing is recorded."""
    if not settings.TRACES_ENDPOINT:
        return {}
    from webapp.telemetry import otlp

    return otlp.headers()


def name_trace(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Name the trace that a log line belongs to; a processor of structlog's."""
    if told := headers():
        event["trace"] = told[TRACEPARENT].split("-")[1]
    return event


def known_as(program: str) -> None:
    """Say which program of ours this is, unless whoever started it did."""
    os.environ.setdefault("OTEL_SERVICE_NAME", f"hematovision-{program}")


def end() -> None:
    """Send what was not sent yet, before a process ends; within seconds, or not at all."""
    if settings.TRACES_ENDPOINT:
        from webapp.telemetry import otlp

        otlp.end()


def check_installed() -> None:
    """Raise ImproperlyConfigured without the packages that traces need."""
    try:
        from webapp.telemetry import otlp  # noqa: F401
    except ModuleNotFoundError:
        raise ImproperlyConfigured(
            "HEMATOVISION_TRACES_ENDPOINT needs packages that are not installed: install the extra `tracing` "
            "(`uv sync --inexact --extra tracing`), or leave the setting empty."
        ) from None


class Rarely(logging.Filter):
    """Lets one line through in ten minutes: a collector that is away would fill the log with the same."""

    SECONDS = 600.0

    def __init__(self) -> None:
        super().__init__()
        self._next = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self.SECONDS
        return True
