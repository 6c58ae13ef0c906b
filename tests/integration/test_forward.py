"""The forwarder through which other machines reach the object store."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from infra.local.settings import LOOPBACK

SIZE = 3_000_000


@pytest.fixture
def target() -> Iterator[int]:
    """Port of a server that reads until its client has finished, then sends everything back."""

    def answer(connection: socket.socket) -> None:
        with connection:
            received = bytearray()
            while data := connection.recv(65536):
                received += data
            connection.sendall(received)

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server((LOOPBACK, 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture
def entrance(target: int) -> Iterator[int]:
    """Port of the forwarder to `target`."""
    with socket.create_server((LOOPBACK, 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "infra.local.forward", LOOPBACK, str(port), str(target)]
    with subprocess.Popen(command) as process:
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection((LOOPBACK, port)).close()
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield port
        process.terminate()


def echo(port: int, content: bytes) -> bytes:
    with socket.create_connection((LOOPBACK, port), timeout=10) as connection:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        received = bytearray()
        while data := connection.recv(65536):
            received += data
        return bytes(received)


def test_bytes_pass_both_ways_to_the_end(entrance: int) -> None:
    content = bytes(range(250)) * (SIZE // 250)
    assert echo(entrance, content) == content


def test_a_broken_connection_disturbs_no_other(entrance: int) -> None:
    broken = socket.create_connection((LOOPBACK, entrance))
    broken.sendall(b"half a requ")
    broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # reset, not a farewell
    broken.close()
    assert echo(entrance, b"whole") == b"whole"
