"""Serves a program's metrics to Prometheus, on an address of its own that is not open to the world."""

import atexit
import os
import shutil
import socket
import threading
from collections.abc import Iterable
from tempfile import mkdtemp
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django.conf import settings
from django.utils.crypto import constant_time_compare
from prometheus_client import CollectorRegistry, make_wsgi_app, values
from prometheus_client.exposition import ThreadingWSGIServer
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SHARED = "PROMETHEUS_MULTIPROC_DIR"


def share_metrics() -> None:
    """Have all processes of this program count together, from before any metric is made."""
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

    Does nothing without an address. Where there is a token, it answers those who show it. In a thread of the
    program's first process, which outlives the others.
    """
    if not settings.METRICS_LISTEN:
        return
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    for collector in collectors:
        registry.register(collector)
    host, _, port = settings.METRICS_LISTEN.rpartition(":")
    host = host.strip("[]")
    server = make_server(
        host, int(port), for_holders(make_wsgi_app(registry), settings.METRICS_TOKEN), _server(host), _Silent
    )
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()


def for_holders(metrics: "WSGIApplication", token: str) -> "WSGIApplication":
    """`metrics` for whoever shows the token; for anybody where there is none."""

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if token and not constant_time_compare(environ.get("HTTP_AUTHORIZATION", ""), f"Bearer {token}"):
            start_response("401 Unauthorized", [("WWW-Authenticate", "Bearer"), ("Content-Length", "0")])
            return []
        return metrics(environ, start_response)

    return answer


def _server(host: str) -> type[ThreadingWSGIServer]:
    class Server(ThreadingWSGIServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    return Server


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing: Prometheus asks several times a minute."""


def process_ended(pid: int) -> None:
    """Forget what was true of a process only while it ran."""
    if settings.METRICS_LISTEN:
        mark_process_dead(pid)  # type: ignore[no-untyped-call]
