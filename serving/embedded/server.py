"""The server as a whole: the services on one port, the compute threads, the watch on the model folder."""

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc
import grpc.aio
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from serving.contract import MAX_MESSAGE_BYTES
from serving.embedded import limits
from serving.embedded.compute import ComputePool
from serving.embedded.credentials import ServerTls
from serving.embedded.repository import ModelRepository
from serving.embedded.service import ModelService, PredictionService
from serving.manifest import Verifier
from serving.wire.serving_pb2_grpc import (
    add_ModelServiceServicer_to_server,
    add_PredictionServiceServicer_to_server,
)

_log = structlog.get_logger("serving.embedded")


class PortTakenError(OSError):
    """The address cannot be listened on."""


class EmbeddedServer:
    """An async context manager: answers from entry to exit, and drains on exit."""

    def __init__(
        self,
        base: Path,
        *,
        host: str,
        port: int,
        threads: int,
        max_waiting: int,
        poll_s: float,
        publisher: Verifier | None,
        tls: ServerTls | None = None,
    ) -> None:
        """Serve the models under `base` on ``host:port`` (0: any free port) with `threads` compute threads.

        At most `max_waiting` images queue; `base` is looked at every `poll_s` seconds. Only what `publisher`
        signed is served, or whatever is there without one. Without `tls` it speaks plain text.
        """
        self._address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._poll_s = poll_s
        self._tls = tls
        self._pool = ComputePool(threads, max_waiting=max_waiting)
        self._repository = ModelRepository(base, threads=threads, publisher=publisher)
        self._health = health.aio.HealthServicer()
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
                # Without this a second server would silently share the port.
                ("grpc.so_reuseport", 0),
            ]
        )
        add_PredictionServiceServicer_to_server(PredictionService(self._repository, self._pool), self._server)
        add_ModelServiceServicer_to_server(ModelService(self._repository), self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self.port = 0
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Listen, then start loading.

        Raises:
            PortTakenError: the address is taken.
            OSError: a file of `tls` cannot be read.
        """
        await self._report_health()
        try:
            self.port = self._listen()
        except RuntimeError as error:
            self._pool.close()
            raise PortTakenError(f"cannot listen on {self._address}; choose another with --port") from error
        await self._server.start()
        _log.info(
            "listening",
            address=self._address,
            port=self.port,
            threads=self._pool.threads,
            tls=self._tls is not None,
        )
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say NOT_SERVING, reject new requests, finish those under way."""
        _log.info("stopping")
        if self._watching is not None:
            self._watching.cancel()
        await self._health.enter_graceful_shutdown()
        await self._server.stop(limits.GRACE_S)
        self._pool.close()
        _log.info("stopped")

    def _listen(self) -> int:
        if self._tls is None:
            return self._server.add_insecure_port(self._address)
        return self._server.add_secure_port(self._address, self._tls.credentials())

    async def _watch(self) -> None:
        while True:
            try:
                await self._repository.sync()
            except Exception:  # noqa: BLE001 - logged with its traceback
                _log.exception("looking for versions failed; what is loaded goes on answering")
            await self._report_health()
            await asyncio.sleep(self._poll_s)

    async def _report_health(self) -> None:
        serving = self._repository.any_available()
        status = health_pb2.HealthCheckResponse.ServingStatus
        await self._health.set("", status.SERVING if serving else status.NOT_SERVING)
