"""Hooks of the web server: `gunicorn --config python:webapp.config.gunicorn`."""

from typing import Any

from webapp.telemetry import exposition


def when_ready(server: Any) -> None:
    exposition.serve()


def child_exit(server: Any, worker: Any) -> None:
    exposition.process_ended(worker.pid)
