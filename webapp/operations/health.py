"""Probes. A web process is ready when it can keep what it is given: the database, as this release needs it,
and the object store answer, and no certificate of ours has ended.

The broker and the model server are reported but do not make it unready: without them images wait, safely, and
people read and sign what is there. A worker is ready only when all of them answer: `workers.ready`.
"""

from collections.abc import Callable
from pathlib import Path

import grpc
import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.channel import open_channel
from webapp.operations import certificates, handshake
from webapp.storage import objects

OK = "ok"


def alive(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


def ready(request: HttpRequest) -> JsonResponse:
    needed = {
        "database": _outcome(_database),
        "migrations": _outcome(_migrations),
        "storage": _outcome(objects.check),
        "certificates": _outcome(_certificates),
    }
    wanted = {"broker": _outcome(_broker), "model": _outcome(_model)}
    well = all(answer == OK for answer in needed.values())
    return JsonResponse({"ready": well, **needed, **wanted}, status=200 if well else 503)


def services() -> dict[str, str]:
    """What each service says that we depend on: "ok", or what is wrong."""
    return {
        "database": _outcome(_database),
        "storage": _outcome(objects.check),
        "broker": _outcome(_broker),
        "model": _outcome(_model),
    }


class NotReady(Exception):
    """What is asked for answers, but not as we need it; the message says what is missing, to anybody."""


def _outcome(check: Callable[[], None]) -> str:
    try:
        check()
    except (DatabaseError, redis.RedisError, grpc.RpcError, *objects.StorageUnavailable) as error:
        # The kind of failure only: addresses and names of our insides are for the log, not for all who ask.
        return f"failed: {handshake.tls_failure(error) or _kind(error)}"
    except NotReady as missing:
        return f"failed: {missing}"
    return OK


def _kind(error: Exception) -> str:
    if isinstance(error, grpc.Call):
        return str(error.code().name.lower().replace("_", " "))
    return type(error).__name__


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


_migrated = False


def _migrations() -> None:
    """Asked until there is none to wait for; a database does not go back."""
    global _migrated
    if _migrated:
        return
    plan = MigrationExecutor(connection)
    pending = len(plan.migration_plan(plan.loader.graph.leaf_nodes()))
    if pending:
        # untranslated: for programs, and for those who read logs
        raise NotReady(f"{pending} migrations are pending")
    _migrated = True


def _certificates() -> None:
    files = filter(certificates.is_file, settings.WATCHED_CERTIFICATES)
    ended = [Path(name).name for name in files if (certificates.remaining(name) or 0) <= 0]
    if ended:
        # untranslated: for programs, and for those who read logs
        raise NotReady(f"{', '.join(ended)} has expired or cannot be read")


def broker() -> redis.Redis:
    return redis.Redis.from_url(
        settings.BROKER_URL,
        socket_timeout=settings.PROBE_TIMEOUT_SECONDS,
        socket_connect_timeout=settings.PROBE_TIMEOUT_SECONDS,
        **settings.BROKER_OPTIONS,
    )


def _broker() -> None:
    with broker() as asked:
        asked.ping()


def _model() -> None:
    with open_channel(settings.SERVING_TARGET, settings.SERVING_CHANNEL) as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(), timeout=settings.PROBE_TIMEOUT_SECONDS
        )
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        # untranslated: for programs, and for those who read logs
        raise NotReady("no model is loaded")
