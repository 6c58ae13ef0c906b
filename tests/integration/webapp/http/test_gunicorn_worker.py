"""The web's own worker, asked directly: who sends half a request waits by himself."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from infra.local.config.settings import LOOPBACK
from webapp.http.gunicorn_worker import BUFFERED_BYTES, HEAD_BYTES

SOCKETS = 100
SOON_S = 10  # far less than the 30 s after which half a request is hung up
HEAD = b"POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n"
ECHO = """
def application(environ, start_response):
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if environ["PATH_INFO"] == "/where":
        where = (environ["wsgi.url_scheme"] + environ["SCRIPT_NAME"]).encode()
        start_response("200 OK", [("Content-Length", str(len(where)))])
        return [where]
    given = environ["wsgi.input"].read(length) if environ["PATH_INFO"] == "/read" else b""
    start_response("200 OK", [("Content-Length", str(len(given)))])
    return [given]
"""


@contextmanager
def web(folder: Path, *, head: float = 30, body: float = 30) -> Iterator[int]:
    """Port of an application that gives bodies back, served as ours is."""
    (folder / "echo.py").write_text(ECHO)
    with socket.create_server((LOOPBACK, 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--config", "python:webapp.config.gunicorn"]
    command += ["--pythonpath", str(folder), "--bind", f"{LOOPBACK}:{port}", "echo:application"]
    deadlines = {"HEMATOVISION_HTTP_HEAD_SECONDS": str(head), "HEMATOVISION_HTTP_BODY_SECONDS": str(body)}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, **deadlines}) as process:
        try:
            deadline = time.monotonic() + 30
            while True:
                try:
                    assert asked(port).startswith(b"HTTP/1.1 200")
                    break
                except OSError:
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
            yield port
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with web(tmp_path_factory.mktemp("echo")) as port:
        yield port


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A port where deadlines are short."""
    with web(tmp_path_factory.mktemp("hasty"), head=1.5, body=1.5) as port:
        yield port


def asked(
    port: int, request: bytes = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
) -> bytes:
    with socket.create_connection((LOOPBACK, port), timeout=20) as client:
        client.sendall(request)
        return rest(client)


def rest(client: socket.socket) -> bytes:
    received = bytearray()
    while data := client.recv(65536):
        received += data
    return bytes(received)


def whole(body: bytes) -> bytes:
    return HEAD % len(body) + b"\r\n" + body


HALVES = {
    "nothing": b"",
    "half a head": HEAD % 10,
    "half a body": HEAD % 10 + b"\r\nhalf",
    "a body that is announced": HEAD % 10 + b"Expect: 100-continue\r\n\r\n",
    "empty lines": b"\r\n\r\n",
    "a length of many digits": HEAD.replace(b"%d", b"0" * 30 + b"9") + b"\r\nhalf",
    "half of the next": whole(b"all of it") + HEAD % 10 + b"\r\nhalf",
    "what nobody reads": HEAD.replace(b"/read", b"/") % 10_000_000 + b"\r\n" + b"x" * (BUFFERED_BYTES + 1),
}


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES)
def test_half_sent_requests_keep_nobody_waiting(port: int, half: bytes) -> None:
    with ExitStack() as held:
        clients = [
            held.enter_context(socket.create_connection((LOOPBACK, port), timeout=20)) for _ in range(SOCKETS)
        ]
        for client in clients:
            client.sendall(half)
        for _ in range(5):
            began = time.monotonic()
            assert asked(port).startswith(b"HTTP/1.1 200")
            assert time.monotonic() - began < SOON_S


def test_connections_that_were_used_before_are_no_different(port: int) -> None:
    with ExitStack() as held:
        clients = [
            held.enter_context(socket.create_connection((LOOPBACK, port), timeout=20)) for _ in range(SOCKETS)
        ]
        for client in clients:
            client.sendall(whole(b"first"))
        for client in clients:
            answer = b""
            while not answer.endswith(b"first"):
                answer += client.recv(4096)
            client.sendall(HEAD % 10 + b"\r\n")
        began = time.monotonic()
        assert asked(port).startswith(b"HTTP/1.1 200")
        assert time.monotonic() - began < SOON_S


def test_who_does_not_hang_up_keeps_nobody_waiting(port: int) -> None:
    """Answered, and told that the connection is over, the client leaves it open."""
    with ExitStack() as held:
        for _ in range(SOCKETS):
            client = held.enter_context(socket.create_connection((LOOPBACK, port), timeout=20))
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        began = time.monotonic()
        assert asked(port).startswith(b"HTTP/1.1 200")
        assert time.monotonic() - began < SOON_S


@pytest.mark.parametrize("body", [b"", b"small", b"x" * BUFFERED_BYTES, b"x" * (3 * BUFFERED_BYTES + 1)])
def test_a_body_comes_in_whole_however_it_is_cut(port: int, body: bytes) -> None:
    request = whole(body)
    with socket.create_connection((LOOPBACK, port), timeout=20) as client:
        for piece in (request[:7], request[7:60], request[60:100], request[100:]):
            client.sendall(piece)
            time.sleep(0.05)
        client.shutdown(socket.SHUT_WR)
        assert rest(client).partition(b"\r\n\r\n")[2] == body


def test_requests_in_a_row_are_all_answered(port: int) -> None:
    closing = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answers = asked(port, whole(b"one") + whole(b"two") + closing)
    assert answers.count(b"HTTP/1.1 200") == 3


def drip(client: socket.socket, part: Callable[[int], bytes]) -> None:
    """A few bytes at a time until the other side has had enough, or for ten seconds."""
    for number in range(50):
        try:
            client.sendall(part(number))
        except OSError:
            return
        time.sleep(0.2)


@pytest.mark.parametrize(
    ("begin", "more"),
    [(b"GET / HTTP/1.1\r\n", b"X: y\r\n"), (HEAD % 1000 + b"\r\n", b"x")],
    ids=["head", "body"],
)
def test_byte_by_byte_a_request_meets_its_deadline(hasty: int, begin: bytes, more: bytes) -> None:
    began = time.monotonic()
    with socket.create_connection((LOOPBACK, hasty), timeout=20) as client:
        client.sendall(begin)
        dripping = threading.Thread(target=drip, args=(client, lambda _: more))
        dripping.start()
        assert rest(client).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began < 5
        client.shutdown(socket.SHUT_RDWR)
        dripping.join()


def test_a_large_body_must_keep_up_its_pace(hasty: int) -> None:
    began = time.monotonic()
    with socket.create_connection((LOOPBACK, hasty), timeout=60) as client:
        client.sendall(HEAD % 10_000_000 + b"\r\n" + b"x" * (BUFFERED_BYTES + 1))
        drip(client, lambda _: b"x")
        assert not rest(client).startswith(b"HTTP/1.1 200")
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nX: " + b"x" * (HEAD_BYTES + 1), b"431"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
    ],
    ids=["a head without end", "no length"],
)
def test_what_cannot_be_taken_is_said(hasty: int, request_: bytes, status: bytes) -> None:
    with socket.create_connection((LOOPBACK, hasty), timeout=20) as client:
        client.sendall(request_)
        assert client.recv(100).startswith(b"HTTP/1.1 " + status)


def test_nobody_says_where_the_site_is(port: int) -> None:
    """gunicorn would believe both of whoever comes from this machine or by a socket."""
    head = b"GET /where HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\nSCRIPT_NAME: /x\r\n"
    assert asked(port, head + b"Connection: close\r\n\r\n").endswith(b"\r\n\r\nhttp")
