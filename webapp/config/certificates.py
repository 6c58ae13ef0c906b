"""When the certificates end that this installation depends on (`HEMATOVISION_WATCHED_CERTIFICATES`)."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import structlog
from cryptography import x509

SECONDS = 3

log = structlog.get_logger(__name__)


def remaining(name: str) -> float:
    """Seconds until the certificate in a PEM file, or of a `host:port`, ends; 0 where none is to be had."""
    try:
        if "/" in name:
            pem = Path(name).read_bytes()
        else:
            host, _, port = name.rpartition(":")
            pem = ssl.get_server_certificate((host, int(port)), timeout=SECONDS).encode()
        ends = min(one.not_valid_after_utc for one in x509.load_pem_x509_certificates(pem))
    except (OSError, ValueError) as error:
        log.warning("certificate cannot be read", certificate=name, error=repr(error))
        return 0.0
    return (ends - datetime.now(UTC)).total_seconds()
