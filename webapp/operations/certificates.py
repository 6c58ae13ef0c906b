"""When the certificates end that this installation depends on (`HEMATOVISION_WATCHED_CERTIFICATES`)."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import structlog
from cryptography import x509
from django.conf import settings

log = structlog.get_logger(__name__)


def is_file(name: str) -> bool:
    """Whether a name is that of a PEM file, and not a `host:port`."""
    return "/" in name


def remaining(name: str) -> float | None:
    """Seconds until the certificate in a PEM file, or of a `host:port`, ends.

    0 for a file that cannot be read; None while a host does not answer, which other metrics show.
    """
    try:
        if is_file(name):
            pem = Path(name).read_bytes()
        else:
            host, _, port = name.rpartition(":")
            pem = ssl.get_server_certificate(
                (host.strip("[]"), int(port)), timeout=settings.CERTIFICATE_PROBE_TIMEOUT_SECONDS
            ).encode()
        ends = min(one.not_valid_after_utc for one in x509.load_pem_x509_certificates(pem))
    except (OSError, ValueError) as error:
        log.warning("certificate cannot be read", certificate=name, error=repr(error))
        return 0.0 if is_file(name) else None
    return (ends - datetime.now(UTC)).total_seconds()
