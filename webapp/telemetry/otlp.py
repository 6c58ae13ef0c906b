"""Spans recorded and sent by OpenTelemetry: the only module that imports it, and only where traces are on.

Whoever asks for the first span of a process sets the sender up, so it is made after a fork. It works in a
thread of its own, keeps a bounded number of spans and drops the rest: a collector that is away or slow costs
nobody anything but the trace.
"""

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock, Thread

import certifi
import requests
from django.conf import settings
from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from webapp.telemetry.tracing import TRACEPARENT, Attributes, Kind

SEND_SECONDS = 5  # for one batch, all its retries included
END_SECONDS = 2.0

_w3c = TraceContextTextMapPropagator()
_setting_up = Lock()


@contextmanager
def begin(name: str, attributes: Attributes, caller: str) -> Iterator[None]:
    """See `tracing.begin`."""
    theirs = _told_by(caller)
    # Without their `tracestate`, in which anything may stand.
    links = [trace.Link(trace.SpanContext(theirs.trace_id, theirs.span_id, True))] if theirs.is_valid else []
    with _tracer().start_as_current_span(
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
    """See `tracing.resumed`."""
    ours = trace.NonRecordingSpan(_told_by(traceparent))
    token = context.attach(trace.set_span_in_context(ours, context.Context()))
    try:
        yield
    finally:
        context.detach(token)


@contextmanager
def span(name: str, attributes: Attributes | None, kind: Kind) -> Iterator[None]:
    """See `tracing.span`."""
    if not _recorded():
        yield
        return
    with _tracer().start_as_current_span(
        name,
        kind=trace.SpanKind[kind.upper()],
        attributes=attributes,
        record_exception=False,  # its message and its stack may quote what people entered
        set_status_on_exception=False,
    ):
        try:
            yield
        except Exception as error:
            describe({}, failure=type(error).__qualname__)
            raise


def describe(attributes: Attributes, name: str = "", failure: str = "") -> None:
    """See `tracing.describe`."""
    current = trace.get_current_span()
    current.set_attributes(dict(attributes))
    if name:
        current.update_name(name)
    if failure:
        current.set_attribute("error.type", failure)
        current.set_status(trace.StatusCode.ERROR)


def headers() -> dict[str, str]:
    """See `tracing.headers`."""
    carrier: dict[str, str] = {}
    if _recorded():
        _w3c.inject(carrier)
    return carrier


def end() -> None:
    """See `tracing.end`."""
    if _provider.cache_info().currsize:
        # In a thread, because no limit that the library takes holds while the network hangs.
        sending = Thread(target=_provider().shutdown, daemon=True)
        sending.start()
        sending.join(END_SECONDS)


def _recorded() -> bool:
    return trace.get_current_span().get_span_context().trace_flags.sampled


def _told_by(traceparent: str) -> trace.SpanContext:
    told = _w3c.extract({TRACEPARENT: traceparent}, context.Context())
    return trace.get_current_span(told).get_span_context()


@cache
def _tracer() -> trace.Tracer:
    with _setting_up:  # once, though several threads may want their first span
        return _provider().get_tracer("hematovision")


@cache
def _provider() -> TracerProvider:
    files = settings.TRACES_TLS
    session = requests.Session()
    session.trust_env = False  # whatever REQUESTS_CA_BUNDLE says, which it would prefer to what is given here
    exporter = OTLPSpanExporter(
        endpoint=f"{settings.TRACES_ENDPOINT.rstrip('/')}/v1/traces",
        certificate_file=str(files.ca or certifi.where()),
        client_certificate_file=str(files.certificate) if files.certificate else None,
        client_key_file=str(files.key) if files.key else None,
        timeout=SEND_SECONDS,
        compression=Compression.Gzip,
        session=session,
    )
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(settings.TRACES_RATIO)), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    atexit.register(end)
    return provider
