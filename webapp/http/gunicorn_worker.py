"""A web worker in which a request occupies no thread before it has arrived.

gunicorn's own threaded worker gives a thread to whoever sends the first byte, and lets that thread wait for
the rest: a few idle connections occupy them all ("slow loris"). Here the loop that waits for all connections
collects heads, and bodies up to `BUFFERED_BYTES`, each until its deadline. The thread reads larger bodies,
at no less than a rate; `webapp.http.bodies` decides which requests may have one.

gunicorn 27 has deadlines for the first byte and for what is left of a body, but not for heads and bodies.
"""

import errno
import re
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from selectors import EVENT_READ
from typing import Any

from django.conf import settings
from gunicorn.http.body import LengthReader
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

HEAD_BYTES = 64 * 1024
BUFFERED_BYTES = 64 * 1024  # of a body, before a thread takes over

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*0*(\d{1,15})[ \t]*\r$", re.IGNORECASE | re.MULTILINE)
_ENCODING = re.compile(rb"^transfer-encoding[ \t]*:", re.IGNORECASE | re.MULTILINE)
_EXPECT = re.compile(rb"^expect[ \t]*:[ \t]*100-continue[ \t]*\r$", re.IGNORECASE | re.MULTILINE)

# Another process was faster, the client has gone, or all descriptors are in use: deadlines set some free.
_NONE_NOW = (errno.EAGAIN, errno.ECONNABORTED, errno.EMFILE, errno.ENFILE)

_LATE = b"408 Request Timeout"
_LARGE = b"431 Request Header Fields Too Large"
# Django reads no body without a length; who sends one should hear of it.
_NO_LENGTH = b"411 Length Required"


class Rejected(Exception):
    """What is arriving is no request that we take; the message is the status to answer."""


@dataclass
class Arrival:
    """A request that is not all there yet.

    Attributes:
        deadline: on the monotonic clock.
        whole: bytes of head and body that a thread waits for; 0 while the head is not all there.
    """

    conn: "Connection"
    deadline: float
    received: bytearray = field(default_factory=bytearray)
    whole: int = 0
    continues: bool = False

    def take(self, data: bytes) -> None:
        """Add what came.

        Raises:
            Rejected: it is too large for a head, or a body of unknown length.
        """
        self.received += data
        if self.whole:
            return
        while self.received.startswith(b"\r\n"):  # RFC 9112, section 2.2
            del self.received[:2]
        end = self.received.find(_END)
        if end < 0:
            if len(self.received) > HEAD_BYTES:
                raise Rejected(_LARGE)
            return
        head = bytes(self.received[: end + 2])
        if _ENCODING.search(head):
            raise Rejected(_NO_LENGTH)
        length = _LENGTH.search(head)
        body = min(int(length[1]), BUFFERED_BYTES) if length else 0
        self.whole = end + len(_END) + body
        self.deadline = time.monotonic() + settings.HTTP_BODY_SECONDS
        self.continues = not self.complete and bool(_EXPECT.search(head))

    @property
    def complete(self) -> bool:
        """Whether a thread may begin."""
        return 0 < self.whole <= len(self.received)


class Unreader(SocketUnreader):  # type: ignore[misc]
    """Reads the rest of a large body, which must come at a rate in the mean."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.deadline = 0.0

    def chunk(self, size_hint: int | None = None) -> bytes:
        # One that is past sets the least that there is, not none.
        self.sock.settimeout(max(self.deadline - time.monotonic(), 0.001))
        try:
            data: bytes = super().chunk(size_hint)
        finally:
            self.sock.settimeout(settings.HTTP_SEND_SECONDS)
        self.deadline += len(data) / settings.HTTP_BODY_BYTES_PER_SECOND
        return data


class Connection(TConn):  # type: ignore[misc]
    """A client's connection, which the worker's loop closes without waiting for the client."""

    def __init__(self, worker: "Worker", *args: Any) -> None:
        super().__init__(worker.cfg, *args)
        self.worker = worker
        self.data_ready = True

    def init(self) -> None:
        if not self.initialized:
            super().init()
            self.parser.unreader = Unreader(self.sock)

    def close(self, graceful: bool = False) -> None:
        if graceful:
            self.worker.linger(self.sock)
        else:
            super().close()


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threaded worker, whose threads wait for nobody's head or small body."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._arrivals: dict[Connection, Arrival] = {}
        self._lingering: dict[socket.socket, float] = {}

    def accept(self, listener: Any) -> None:
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno in _NONE_NOW:
                return
            raise
        self.nr_conns += 1
        self.enqueue_req(Connection(self, client, address, listener.getsockname()))

    def enqueue_req(self, conn: Connection) -> None:
        """Wait for the request on a connection that is new, readable, or has more in its buffer."""
        conn.init()
        conn.sock.setblocking(False)
        arrival = Arrival(conn, time.monotonic() + settings.HTTP_HEAD_SECONDS)
        ahead = conn.parser.unreader.take_buffered()
        self._arrivals[conn] = arrival
        self.poller.register(conn.sock, EVENT_READ, partial(self._on_arriving, arrival))
        if ahead:
            self._take(arrival, ahead)
        else:
            self._on_arriving(arrival, conn.sock)

    def murder_pending(self) -> None:
        """Called by the loop after every wait, of a second at most: end what took too long."""
        super().murder_pending()
        now = time.monotonic()
        for arrival in [late for late in self._arrivals.values() if late.deadline <= now]:
            self._reject(arrival, _LATE if arrival.received else b"")
        for sock in [sock for sock, deadline in self._lingering.items() if deadline <= now]:
            self._end(sock)

    def _cap_keepalive(self, deadline: float) -> None:
        """Called once, when the worker is asked to stop: half a request does not keep it."""
        super()._cap_keepalive(deadline)
        for arrival in self._arrivals.values():
            arrival.deadline = min(arrival.deadline, deadline)

    def linger(self, sock: socket.socket) -> None:
        """Say that no more comes, and drop what still does, so that the client can read its answer."""
        try:
            sock.setblocking(False)
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            sock.close()
            return
        self._lingering[sock] = time.monotonic() + settings.HTTP_LINGER_SECONDS
        self.poller.register(sock, EVENT_READ, self._on_lingering)

    def handle_request(self, req: Any, conn: Connection) -> Any:
        """In a thread."""
        conn.parser.unreader.deadline = time.monotonic() + settings.HTTP_BODY_SECONDS
        conn.sock.settimeout(settings.HTTP_SEND_SECONDS)
        try:
            return super().handle_request(req, conn)
        except TimeoutError as late:
            # untranslated: for the log
            raise StopIteration("the client does not read") from late

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """In a thread: whether another request may follow. Nobody waits for a body that was left unread."""
        reader = conn.parser.mesg.body.reader
        there = len(conn.parser.unreader.buf.getvalue())
        if not (isinstance(reader, LengthReader) and reader.length <= there):
            return False
        return bool(super()._keepalive_after(conn, keepalive))

    def _on_arriving(self, arrival: Arrival, sock: socket.socket) -> None:
        try:
            data = sock.recv(BUFFERED_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._take(arrival, data)
        else:
            self._forget(arrival)
            self.nr_conns -= 1
            arrival.conn.close()

    def _take(self, arrival: Arrival, data: bytes) -> None:
        try:
            arrival.take(data)
        except Rejected as rejected:
            self._reject(arrival, rejected.args[0])
            return
        if arrival.complete:
            self._forget(arrival)
            arrival.conn.parser.unreader.unread(bytes(arrival.received))
            super().enqueue_req(arrival.conn)
        elif arrival.continues:
            arrival.continues = False
            with suppress(OSError):
                arrival.conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _reject(self, arrival: Arrival, status: bytes) -> None:
        self._forget(arrival)
        self.nr_conns -= 1
        if status:
            with suppress(OSError):
                arrival.conn.sock.send(
                    b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
        arrival.conn.close(graceful=bool(status))

    def _forget(self, arrival: Arrival) -> None:
        del self._arrivals[arrival.conn]
        self.poller.unregister(arrival.conn.sock)

    def _on_lingering(self, sock: socket.socket) -> None:
        try:
            if sock.recv(BUFFERED_BYTES):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._end(sock)

    def _end(self, sock: socket.socket) -> None:
        del self._lingering[sock]
        self.poller.unregister(sock)
        sock.close()
