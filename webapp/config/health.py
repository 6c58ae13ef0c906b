"""Probes. A web process is ready when it can keep what it is given: the database and the object store answer.

The broker and the model server are reported but do not make it unready: without them images wait, safely.
"""

from collections.abc import Callable

import grpc
import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.channel import open_channel
from webapp.config import tls
from webapp.storage import objects

SECONDS = 2


def alive(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


def ready(request: HttpRequest) -> JsonResponse:
    needed = {"database": _said(_database), "storage": _said(objects.check)}
    wanted = {"broker": _said(_broker), "model": _said(_model)}
    well = all(answer == "ok" for answer in needed.values())
    return JsonResponse({"ready": well, **needed, **wanted}, status=200 if well else 503)


class NotServing(Exception):
    """The model server answers, but has no model loaded."""


def _said(check: Callable[[], None]) -> str:
    try:
        check()
    except (DatabaseError, redis.RedisError, grpc.RpcError, NotServing, *objects.StorageUnavailable) as error:
        # The kind of failure only: addresses and names of our insides are for the log, not for all who ask.
        return f"failed: {tls.trouble(error) or type(error).__name__}"
    return "ok"


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _broker() -> None:
    with redis.Redis.from_url(
        settings.BROKER_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS, **settings.BROKER_OPTIONS
    ) as broker:
        broker.ping()


def _model() -> None:
    with open_channel(settings.SERVING_TARGET, settings.SERVING_CHANNEL) as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=SECONDS)
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise NotServing
