"""TLS of the connections to database, broker, object store and model server, and what must not go without it.

Files are read anew for every connection, so a renewed certificate needs no restart.
"""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from webapp.config.environment import PREFIX


@dataclass(frozen=True)
class TlsFiles:
    """PEM files for the connections to one service.

    Attributes:
        service: how the names of its settings begin: DATABASE, BROKER, S3 or SERVING.
        ca: certificates of those who may have signed the service's.
        certificate: ours, with its chain, for a service that asks for one (mTLS).
        key: the private key of `certificate`.

    Raises:
        ImproperlyConfigured: a file cannot be read, or `certificate` and `key` are not given together.
    """

    service: str
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        if bool(self.certificate) != bool(self.key):
            raise ImproperlyConfigured(
                f"{self.setting('CERTIFICATE')} and {self.setting('KEY')} go together: set both or neither."
            )
        for name, path in (("CA", self.ca), ("CERTIFICATE", self.certificate), ("KEY", self.key)):
            try:
                if path:
                    path.open("rb").close()
            except OSError as error:
                # Never the value: somebody may have put the key itself there.
                raise ImproperlyConfigured(
                    f"{self.setting(name)} must name a file that can be read: {error.strerror}."
                ) from None

    def setting(self, name: str) -> str:
        return f"{PREFIX}{self.service}_{name}"

    @property
    def given(self) -> bool:
        """Whether any file was named."""
        return bool(self.ca or self.certificate)

    def postgres(self) -> dict[str, str]:
        """Options of a PostgreSQL connection (libpq); none without a CA, so that the URL's own stay."""
        if not self.ca:
            return {}
        own = {"sslcert": str(self.certificate), "sslkey": str(self.key)} if self.certificate else {}
        return {"sslmode": "verify-full", "sslrootcert": str(self.ca), **own}

    def redis(self, url: str) -> dict[str, Any]:
        """Options of a connection to `url` (redis-py; kombu hands them on); none unless it is `rediss://`."""
        if not url.startswith("rediss://"):
            return {}
        return {
            "ssl_cert_reqs": ssl.CERT_REQUIRED,
            "ssl_check_hostname": True,
            "ssl_min_version": ssl.TLSVersion.TLSv1_2,
            "ssl_ca_certs": self.ca and str(self.ca),
            "ssl_certfile": self.certificate and str(self.certificate),
            "ssl_keyfile": self.key and str(self.key),
        }


@dataclass(frozen=True)
class Connection:
    """Where a setting makes us connect to, or be connected to.

    Attributes:
        setting: the setting's name without the prefix.
        host: a name or an address; several are parted by commas; a path or nothing is this machine.
        encrypted: whether TLS is spoken, with the other side's certificate checked.
        remedy: what to do for that.
        files: what was given for TLS.
    """

    setting: str
    host: str
    encrypted: bool
    remedy: str
    files: TlsFiles | None = None

    @classmethod
    def to_url(cls, setting: str, url: str, scheme: str, files: TlsFiles) -> "Connection":
        """To a URL that is encrypted if its scheme is `scheme`."""
        parts = urlsplit(url)
        return cls(setting, parts.hostname or "", parts.scheme == scheme, f"use a {scheme}:// address", files)


def check(connections: Iterable[Connection], *, required: bool) -> None:
    """Reject settings that contradict each other and, where `required`, plain text beyond this machine.

    Raises:
        ImproperlyConfigured: with one line that names the setting.
    """
    for connection in connections:
        if connection.encrypted:
            continue
        name = PREFIX + connection.setting
        if connection.files and connection.files.given:
            raise ImproperlyConfigured(
                f"{connection.files.service} has files for TLS, but {name} is plain: {connection.remedy}."
            )
        far = [host for host in connection.host.split(",") if not is_loopback(host)]
        if required and far:
            raise ImproperlyConfigured(
                f"{name} means plain text with {far[0]}: {connection.remedy}, or allow plain text beyond "
                f"this machine with {PREFIX}REQUIRE_TLS=false."
            )


def is_loopback(host: str) -> bool:
    """Whether `host` never leaves this machine."""
    if not host or host.startswith("/") or host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
