"""Traces: what a request set off, sent as spans to a collector (OpenTelemetry).

A trace begins with a request to the web and goes along with the tasks that it enqueues (`context.carried`).
What happens outside one is not recorded. Names and attributes follow OpenTelemetry's semantic conventions;
values are ids of our own, routes and counts, never anything that people entered: no path, whose parts may be
secrets, and no exception's message.

OpenTelemetry's API does nothing until a process has a provider. `otlp` makes that, and only where
`HEMATOVISION_TRACES_ENDPOINT` is set: with the first trace of a process, so after any fork.
"""

import logging
import os
import time
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from opentelemetry import context, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

TRACEPARENT = "traceparent"  # version, trace, span and flags

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Attributes = Mapping[str, str | int]
Operation = Literal["create", "send", "process"]

_tracer = trace.get_tracer("hematovision")
_NOTHING: AbstractContextManager[None] = nullcontext()
_w3c = TraceContextTextMapPropagator()


@contextmanager
def begin(name: str, attributes: Attributes, *, caller: str = "") -> Iterator[None]:
    """A request of somebody else's, and with it a new trace.

    `caller` is the `traceparent` that came with the request (W3C Trace Context), linked but not continued:
    a stranger must not decide what is recorded, nor under which id it is found.
    """
    if not _is_on():
        yield
        return
    theirs = _read(caller)
    # Without their `tracestate`, in which anything may stand.
    links = [trace.Link(trace.SpanContext(theirs.trace_id, theirs.span_id, True))] if theirs.is_valid else []
    with _tracer.start_as_current_span(
        name,
        context=context.Context(),
        kind=trace.SpanKind.SERVER,
        attributes=attributes,
        links=links,
        record_exception=False,
        set_status_on_exception=False,
    ):
        yield


@contextmanager
def resumed(traceparent: str) -> Iterator[None]:
    """Spans inside belong to the trace that `traceparent` names, if there is one."""
    if not _is_on():
        yield
        return
    ours = trace.NonRecordingSpan(_read(traceparent))
    token = context.attach(trace.set_span_in_context(ours, context.Context()))
    try:
        yield
    finally:
        context.detach(token)


def span(
    name: str, attributes: Attributes | None = None, *, kind: Kind = "internal"
) -> AbstractContextManager[None]:
    """A step of the trace that is open; nothing outside one.

    What it raises marks it as failed, by the exception's class alone.
    """
    return _step(name, attributes, trace.SpanKind[kind.upper()]) if _recorded() else _NOTHING


def message(operation: Operation, queue: str, task: str, id_: str = "") -> AbstractContextManager[None]:
    """A span of a task on its way: created in the outbox, sent to the broker, processed."""
    named = {"messaging.system": "celery", "messaging.destination.name": queue, "hematovision.task": task}
    if id_:
        named["messaging.message.id"] = id_
    done = {"messaging.operation.name": operation, "messaging.operation.type": operation}
    kind: Kind = "consumer" if operation == "process" else "producer"
    return span(f"{operation} {queue}", {**named, **done}, kind=kind)


def describe(attributes: Attributes, *, name: str = "", failure: str = "") -> None:
    """Add to the span that is open what became known since it began."""
    current = trace.get_current_span()
    current.set_attributes(dict(attributes))
    if name:
        current.update_name(name)
    if failure:
        current.set_attribute("error.type", failure)
        current.set_status(trace.StatusCode.ERROR)


def headers() -> dict[str, str]:
    """What tells others of the span that is open (W3C Trace Context); empty where nothing is recorded."""
    carrier: dict[str, str] = {}
    if _recorded():
        _w3c.inject(carrier)
    return carrier


def name_trace(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Name the trace that a log line belongs to; a processor of structlog's."""
    if _recorded():
        event["trace"] = trace.format_trace_id(trace.get_current_span().get_span_context().trace_id)
    return event


def set_service_name(program: str) -> None:
    """Set the service name of traces, unless the environment has one."""
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


def _is_on() -> bool:
    """Whether this process records; from its first trace, where there is a collector."""
    if not settings.TRACES_ENDPOINT:
        return False
    from webapp.telemetry import otlp

    otlp.set_up()
    return True


@contextmanager
def _step(name: str, attributes: Attributes | None, kind: trace.SpanKind) -> Iterator[None]:
    with _tracer.start_as_current_span(
        name,
        kind=kind,
        attributes=attributes,
        record_exception=False,  # its message and its stack may quote what people entered
        set_status_on_exception=False,
    ):
        try:
            yield
        except Exception as error:
            describe({}, failure=type(error).__qualname__)
            raise


def _recorded() -> bool:
    return trace.get_current_span().get_span_context().trace_flags.sampled


def _read(traceparent: str) -> trace.SpanContext:
    theirs = _w3c.extract({TRACEPARENT: traceparent}, context.Context())
    return trace.get_current_span(theirs).get_span_context()


class RateLimitFilter(logging.Filter):
    """A rate limit of log lines, one in ten minutes: a collector that is away would fill the log."""

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
