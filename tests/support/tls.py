"""A certificate authority of the tests' own, and a TLS front for servers built without TLS."""

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
# What a client of PostgreSQL sends first, and the answer that TLS may begin (message formats, SSLRequest).
POSTGRES_ASKS, POSTGRES_AGREES = bytes.fromhex("0000000804d2162f"), b"S"


@dataclass(frozen=True)
class Pem:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates into `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ca = trustme.CA()
        folder.mkdir(exist_ok=True)
        self.file = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(self.file)

    def issue(self, name: str, *, expired: bool = False) -> Pem:
        """A certificate for the host or client `name`."""
        made = self._ca.issue_cert(name, not_after=LONG_AGO if expired else None)
        pem = Pem(self._folder / f"{name}-{expired:d}.pem", self._folder / f"{name}-{expired:d}.key")
        pem.certificate.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
        made.private_key_pem.write_to_path(pem.key)
        pem.key.chmod(0o600)  # PostgreSQL's client wants no less
        return pem


@contextlib.contextmanager
def tls_front(
    behind: int, pem: Pem, *, client_ca: Path | None = None, postgres: bool = False
) -> Iterator[int]:
    """Speak TLS before the plain server at port `behind`, as stunnel would; yields the port.

    With `client_ca`, clients must show a certificate. A client of PostgreSQL asks for TLS first, in its way.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem.certificate, pem.key)
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED

    def serve(client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            if postgres:
                assert client.recv(len(POSTGRES_ASKS)) == POSTGRES_ASKS
                client.sendall(POSTGRES_AGREES)
            inside = context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
            with inside, socket.create_connection(("127.0.0.1", behind)) as server:
                try:
                    inside.do_handshake()
                except ssl.SSLError:
                    _let_go(inside)
                else:
                    _copy(inside, server)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def _let_go(inside: ssl.SSLSocket) -> None:
    """Close such that what was said last, an alert, is read: a reset would overtake it."""
    plain = socket.socket(fileno=inside.detach())
    with plain:
        plain.shutdown(socket.SHUT_WR)
        while plain.recv(65536):
            pass


def _copy(inside: ssl.SSLSocket, server: socket.socket) -> None:
    """Everything either end says to the other, until one is closed."""
    while True:
        ready = [inside] if inside.pending() else select.select([inside, server], [], [])[0]
        for source, to in ((inside, server), (server, inside)):
            if source in ready:
                data = source.recv(65536)
                if not data:
                    return
                to.sendall(data)


def certificate(path: Path, ends: timedelta) -> str:
    """Write a certificate that ends in a while, or ended before now; where it is."""
    now = datetime.now(UTC)
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + ends)
        .sign(key, SHA256())
    )
    path.write_bytes(made.public_bytes(Encoding.PEM))
    return str(path)
