"""Tells a program's figures to Prometheus, on an address of its own that is not open to the world."""

import atexit
import os
import shutil
from tempfile import mkdtemp

from django.conf import settings
from prometheus_client import CollectorRegistry, start_http_server, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

SHARED = "PROMETHEUS_MULTIPROC_DIR"


def share_figures() -> None:
    """Have all processes of this program count together, from before any figure is made."""
    if SHARED not in os.environ:
        os.environ[SHARED] = mkdtemp(prefix="hematovision-metrics-")
        atexit.register(_remove, os.environ[SHARED], os.getpid())
    # It looked for the folder when it was imported, which Celery's plug-ins may have done long before.
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]


def _remove(folder: str, owner: int) -> None:
    if os.getpid() == owner:  # children that were forked come by here, too
        shutil.rmtree(folder, ignore_errors=True)


def serve(*collectors: Collector) -> None:
    """Answer `GET /metrics` from now on, with what `collectors` find at that time.

    Does nothing without an address. In a thread of the program's first process, which outlives the others.
    """
    if not settings.METRICS_LISTEN:
        return
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    for collector in collectors:
        registry.register(collector)
    host, _, port = settings.METRICS_LISTEN.rpartition(":")
    start_http_server(int(port), host.strip("[]"), registry)


def process_ended(pid: int) -> None:
    """Forget what was true of a process only while it ran."""
    if settings.METRICS_LISTEN:
        mark_process_dead(pid)  # type: ignore[no-untyped-call]
