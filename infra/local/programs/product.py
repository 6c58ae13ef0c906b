"""Our own programs: model server, web, outbox relay, workers, and what schedules and watches them."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from infra.local.config import authority
from infra.local.config.environment import environment
from infra.local.config.secrets import Secrets, write_private
from infra.local.config.settings import LOOPBACK, METRICS, PREFIX, Settings
from infra.local.config.sockets import socket_path
from infra.local.limits import PROGRAM_STOP_S, WEB_STOP_S, WORKER_STOP_S
from infra.local.programs.caddy import WEB_SOCKET
from infra.local.programs.program import Group, Program

FLOWER_USER = "hematovision"


def model_server(settings: Settings, secrets: Secrets) -> Program:
    models = settings.home / "models"
    publisher = settings.home / "run" / "publisher"

    def prepare() -> None:
        from serving.manifest import Publisher  # here, because cryptography takes its time

        models.mkdir(exist_ok=True)
        write_private(publisher, Publisher(secrets.model).public)

    # Of what the others know it needs nothing but where things are: least of all the key that signs models.
    return Program(
        name="serving",
        argv=(
            *(sys.executable, "-m", "serving.embedded", "--model-base", str(models)),
            *("--host", LOOPBACK, "--port", str(settings.port("serving"))),
            *("--threads", str(os.cpu_count() or 1), "--publisher", str(publisher)),
            *("--certificate", str(authority.certificate(settings, authority.MODEL_SERVER))),
            *("--key", str(authority.key(settings, authority.MODEL_SERVER))),
            *("--client-ca", str(authority.ca(settings))),
        ),
        group="services",
        env={"PYTHONUNBUFFERED": "1"},
        prepare=prepare,
    )


def programs(settings: Settings, secrets: Secrets) -> Iterator[Program]:
    """The programs that need the database, the broker, the object store and the model server."""
    env = {
        **environment(settings, secrets),
        "FLOWER_BASIC_AUTH": f"{FLOWER_USER}:{secrets.flower}",
    }

    def module(
        name: str, *arguments: str, group: Group = "product", stop_seconds: int = PROGRAM_STOP_S
    ) -> Program:
        program = Program(name, (sys.executable, "-m", *arguments), group, env, stop_seconds=stop_seconds)
        return _telling_metrics(program, settings, secrets) if name in METRICS else program

    def worker(name: str, *queues: str, concurrency: int) -> Program:
        # Events (-E) feed Flower.
        options = ("-Q", ",".join(queues), "-c", str(concurrency), "-n", f"{name}@%h", "-E")
        return module(
            f"worker-{name}", "celery", "-A", "workers", "worker", *options, stop_seconds=WORKER_STOP_S
        )

    yield module(
        "web",
        *("gunicorn", "--config", "python:webapp.config.gunicorn"),
        *("--bind", f"unix:{socket_path(settings.home, WEB_SOCKET)}"),
        stop_seconds=WEB_STOP_S,
    )
    yield module("relay", "workers.relay")
    yield worker("interactive", "interactive", concurrency=1)
    yield worker("bulk", "bulk", "maintenance", concurrency=2)
    yield worker("events", "events", "jobs", concurrency=2)
    schedule = str(settings.home / "run" / "beat")
    yield module(
        "beat", "celery", "-A", "workers", "beat", "--schedule", schedule, "--pidfile=", group="aside"
    )
    listen = (f"--address={LOOPBACK}", f"--port={settings.port('flower')}")
    yield module("flower", "workers.flower", *listen, group="aside")


def _telling_metrics(program: Program, settings: Settings, secrets: Secrets) -> Program:
    # Its processes count together in this folder; what those of an earlier run counted is over.
    shared = settings.home / "run" / "metrics" / program.name
    told = {
        f"{PREFIX}METRICS_LISTEN": f"{LOOPBACK}:{settings.port(f'metrics-{program.name}')}",
        f"{PREFIX}METRICS_TOKEN": secrets.metrics,
        "PROMETHEUS_MULTIPROC_DIR": str(shared),
    }
    return replace(program, env={**program.env, **told}, prepare=partial(_make_empty, shared))


def _make_empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
