"""Sends spans to the collector: the one module that imports OpenTelemetry's SDK, loaded where traces are on.

The sender works in a thread of its own, keeps a bounded number of spans and drops the rest: a collector that
is away or slow costs nobody anything but the trace.
"""

import atexit
from functools import cache
from threading import Lock, Thread

import certifi
import requests
from django.conf import settings
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

_setting_up = Lock()


def set_up() -> None:
    """Have this process record spans and send them."""
    with _setting_up:  # once, though several threads may want their first span
        _provider()


def end() -> None:
    """See `tracing.end`."""
    if _provider.cache_info().currsize:
        # In a thread, because no limit that the library takes holds while the network hangs.
        sending = Thread(target=_provider().shutdown, daemon=True)
        sending.start()
        sending.join(settings.TRACES_END_SECONDS)


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
        timeout=settings.TRACES_SEND_TIMEOUT_SECONDS,
        compression=Compression.Gzip,
        session=session,
    )
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(settings.TRACES_RATIO)), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    atexit.register(end)
    trace.set_tracer_provider(provider)
    return provider
