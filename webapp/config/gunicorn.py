"""How the web is served, wherever: `gunicorn --config python:webapp.config.gunicorn --bind HOST:PORT`."""

from typing import Any

from gunicorn.glogging import Logger

from webapp.telemetry import exposition
from webapp.telemetry.redaction import redacted


class AccessLogger(Logger):  # type: ignore[misc]
    def atoms(self, *args: Any) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(*args)
        return {**atoms, "U": redacted(atoms["U"])}


logger_class = AccessLogger

wsgi_app = "webapp.config.wsgi:application"
worker_class = "webapp.http.gunicorn_worker.Worker"
workers, threads = 2, 8
keepalive = 75  # longer than a proxy's, which else sends a request as the connection is being closed
# What a proxy says of https and of whom it asks for is Django's to believe (HEMATOVISION_PROXIES), and nobody
# may say where in the site they are (SCRIPT_NAME): gunicorn takes both from whoever comes by a socket.
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
control_socket_disable = True  # it would lie in the home of whoever starts the web, for all their webs
preload_app = True  # one copy of the code in memory; nothing is connected before the fork
graceful_timeout = 10  # seconds in which requests under way may end
accesslog = "-"
# Paths without queries: what people search for is nobody's business but theirs.
access_log_format = '%(h)s %(t)s "%(m)s %(U)s" %(s)s %(b)s %(L)ss'


def when_ready(server: Any) -> None:
    exposition.serve()


def child_exit(server: Any, worker: Any) -> None:
    exposition.process_ended(worker.pid)
