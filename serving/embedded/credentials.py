"""The server's side of TLS: its certificate, and whose clients may ask."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import structlog

_log = structlog.get_logger("serving.embedded")

Pem = tuple[bytes, bytes, bytes | None]


@dataclass
class ServerTls:
    """PEM files of the server; they may be replaced while it runs.

    Attributes:
        certificate: the server's certificate with its chain.
        key: its private key.
        client_ca: certificates of those who may have signed a client's; given, clients must show one (mTLS).
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None
    _used: Pem | None = field(default=None, init=False)

    def credentials(self) -> grpc.ServerCredentials:
        """Credentials that look at the files again for each new connection.

        Raises:
            OSError: a file cannot be read, or the key is of another certificate.
        """
        self._used = self.read()
        return grpc.dynamic_ssl_server_credentials(
            _configuration(self._used),
            self._renewed,  # type: ignore[arg-type]  # gRPC's own documentation lets it answer None
            require_client_authentication=bool(self.client_ca),
        )

    def read(self) -> Pem:
        """Key, certificate and CA of clients as the files hold them. Raises as `credentials` does."""
        # Half of a replacement is invalid, too: a certificate whose key is still to come.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        if self.client_ca:
            context.load_verify_locations(self.client_ca)
        client_ca = self.client_ca.read_bytes() if self.client_ca else None
        return self.key.read_bytes(), self.certificate.read_bytes(), client_ca

    def _renewed(self) -> grpc.ServerCertificateConfiguration | None:
        """What the files hold if that is new; None keeps what is used now."""
        try:
            found = self.read()
        except OSError as error:
            _log.warning("certificate not read; the one before stays", reason=str(error))
            return None
        if found == self._used:
            return None
        self._used = found
        _log.info("certificate replaced")
        return _configuration(found)


def _configuration(pem: Pem) -> grpc.ServerCertificateConfiguration:
    key, certificate, client_ca = pem
    return grpc.ssl_server_certificate_configuration([(key, certificate)], root_certificates=client_ca)
