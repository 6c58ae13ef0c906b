"""What a person may choose about the one-machine stack, read from the environment in one place."""

import json
import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from pathlib import Path

from infra.language import _
from infra.local.errors import NotRunningError, StackError

LOOPBACK = "127.0.0.1"
LOOPBACKS = (LOOPBACK, "::1", "localhost")  # what only this machine reaches
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - what is not taken
PREFIX = "HEMATOVISION_"

_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")

# Programs that tell Prometheus their metrics, each on a port of its own.
METRICS = ("web", "relay", "worker-interactive", "worker-bulk", "worker-events")

# The order gives each port its place in the block that starts at HEMATOVISION_BASE_PORT.
BLOCK = (
    "postgres",
    "valkey",
    "s3",
    "serving",
    "flower",
    "seaweedfs-master",
    "seaweedfs-volume",
    "seaweedfs-filer",
    "seaweedfs-admin",
    "seaweedfs-master-grpc",
    "seaweedfs-volume-grpc",
    "seaweedfs-filer-grpc",
    "s3-grpc",
    "s3-public",
    *(f"metrics-{name}" for name in METRICS),
)


@dataclass(frozen=True)
class Settings:
    """Where the stack keeps its state and where it listens.

    Attributes:
        home: folder of all state (`HEMATOVISION_HOME`, default `var`), absolute.
        host: address the web page and the object store listen on (`HEMATOVISION_HOST`, default loopback).
            Everything else listens on loopback whatever this says.
        public_host: name by which browsers reach `host` (`HEMATOVISION_PUBLIC_HOST`, default `host`).
        web_port: port of the web page (`HEMATOVISION_WEB_PORT`, default 8000).
        base_port: first port of the block used by everything else (`HEMATOVISION_BASE_PORT`).
        certificate: PEM file of the certificate for `public_host` and its chain (`HEMATOVISION_CERTIFICATE`);
            empty: beyond loopback, one of an authority of this machine's own.
        certificate_key: PEM file of its private key (`HEMATOVISION_CERTIFICATE_KEY`).
        plain_http: no TLS, wherever other machines are (`HEMATOVISION_PLAIN_HTTP`).
        proxies: how many of the site's own stand before this machine (`HEMATOVISION_PROXIES`).
    """

    home: Path
    host: str = LOOPBACK
    public_host: str = LOOPBACK
    web_port: int = 8000
    base_port: int = 18470
    certificate: str = ""
    certificate_key: str = ""
    plain_http: bool = False
    proxies: int = 0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Settings as the environment gives them.

        Raises:
            StackError: a port is not a number that a port can have, a host is none, browsers are not told
                where to go, or the certificate cannot be used.
        """
        host = _host(environ, "HOST", LOOPBACK)
        if host in EVERYWHERE and not environ.get(f"{PREFIX}PUBLIC_HOST"):
            raise StackError(
                _(
                    "HEMATOVISION_HOST is %(host)s, every address of this machine: set "
                    "HEMATOVISION_PUBLIC_HOST to the name by which browsers reach it."
                )
                % {"host": host}
            )
        certificate, key = (environ.get(f"{PREFIX}{name}", "") for name in ("CERTIFICATE", "CERTIFICATE_KEY"))
        plain_http = _switch(environ, "PLAIN_HTTP")
        if certificate or key:
            if plain_http:
                raise StackError(
                    _("HEMATOVISION_CERTIFICATE and HEMATOVISION_PLAIN_HTTP exclude each other: keep one.")
                )
            _check_certificate(certificate, key)
        settings = cls(
            home=home_from_environment(environ),
            host=host,
            public_host=_host(environ, "PUBLIC_HOST", host),
            web_port=_port(environ, "WEB_PORT", cls.web_port, room=1),
            base_port=_port(environ, "BASE_PORT", cls.base_port, room=10_000 + len(BLOCK)),
            certificate=certificate and str(Path(certificate).expanduser().resolve()),
            certificate_key=key and str(Path(key).expanduser().resolve()),
            plain_http=plain_http,
            proxies=_number(environ, "PROXIES", 0, range(10)),
        )
        for name, port in settings.ports.items():
            if port == settings.web_port:
                raise StackError(
                    _(
                        "Port %(port)s, meant for the web page, is that of %(name)s, too. Set "
                        "HEMATOVISION_WEB_PORT to one outside the block that HEMATOVISION_BASE_PORT begins."
                    )
                    % {"port": port, "name": name}
                )
        return settings

    @classmethod
    def of_running(cls, home: Path) -> "Settings":
        """Settings with which the stack in `home` was started.

        Raises:
            NotRunningError: no stack was started there.
            StackError: they cannot be read.
        """
        path = home / "run" / "settings.json"
        try:
            return cls(home=home, **json.loads(path.read_text()))
        except FileNotFoundError:
            raise NotRunningError(home) from None
        except (ValueError, TypeError):
            raise StackError(
                _("%(path)s is damaged. The next start, after `make down`, writes it anew.") % {"path": path}
            ) from None

    def save(self) -> None:
        """Leave the settings for the programs of the stack and for other commands (`of_running`)."""
        values = asdict(self)
        del values["home"]
        (self.home / "run" / "settings.json").write_text(json.dumps(values, indent=2))

    def port(self, name: str) -> int:
        """Port of a service: `web` or a name in `BLOCK`."""
        return self.web_port if name == "web" else self.base_port + BLOCK.index(name)

    @property
    def ports(self) -> dict[str, int]:
        """Every port beside that of the web page, by what it is for."""
        # SeaweedFS looks for this one there, whatever it is told.
        far = {"seaweedfs-admin-grpc": self.port("seaweedfs-admin") + 10_000}
        return {name: self.port(name) for name in BLOCK} | far

    @property
    def url(self) -> str:
        """Address of the web page, as a browser reaches it."""
        return self.address(self.public_host)

    def address(self, name: str, service: str = "web") -> str:
        """Address of the web page or of the object store (`s3-public`), by one of its names."""
        return f"{self.scheme}://{bracketed(name)}:{self.port(service)}"

    @property
    def scheme(self) -> str:
        """How the web page and the object store are spoken to: `https` wherever other machines can."""
        return "https" if self.certificate or (self.beyond_loopback and not self.plain_http) else "http"

    @property
    def names(self) -> list[str]:
        """Names by which people here and elsewhere reach the web page."""
        here = [LOOPBACK, "localhost", *(["::1"] if self.host == "::" else [])]
        reached = {self.public_host, *(here if self.host in EVERYWHERE else [self.host])}
        return sorted(reached)

    @property
    def caddy(self) -> Path:
        """Folder of certificates and keys, of the machine's own authority too."""
        return self.home / "caddy"

    @property
    def authority(self) -> Path | None:
        """Certificate of the machine's own authority, where that is what must be trusted."""
        if self.scheme == "http" or self.certificate:
            return None
        return self.caddy / "pki" / "authorities" / "local" / "root.crt"

    @property
    def certificates(self) -> Path:
        """Folder of the certificates by which the programs of the stack know one another."""
        return self.home / "certificates"

    @property
    def mail(self) -> Path:
        """Folder of the messages that the product sends while no mail server is named (`EMAIL_URL`)."""
        return self.home / "mail"

    @property
    def prometheus(self) -> Path:
        """Configuration with which a Prometheus watches this stack, written at every start."""
        return self.home / "prometheus.yml"

    @property
    def metrics_token(self) -> Path:
        """File of what that Prometheus shows to be told metrics."""
        return self.home / "metrics_token"

    @property
    def beyond_loopback(self) -> bool:
        """Whether other machines can reach the web page."""
        return self.host not in LOOPBACKS

    @property
    def web_here(self) -> str:
        """Address of the web page, as this machine reaches it."""
        return self.address({"0.0.0.0": LOOPBACK, "::": "::1"}.get(self.host, self.host))  # noqa: S104 - to ask


def bracketed(host: str) -> str:
    """A host as it stands in an address: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def home_from_environment(environ: Mapping[str, str] = os.environ) -> Path:
    """Absolute path of the folder of all state: `HEMATOVISION_HOME`, or `var` in the current folder."""
    return Path(environ.get(f"{PREFIX}HOME") or "var").expanduser().resolve()


def _port(environ: Mapping[str, str], name: str, default: int, *, room: int) -> int:
    return _number(environ, name, default, range(1024, 65537 - room))


def _number(environ: Mapping[str, str], name: str, default: int, allowed: range) -> int:
    text = environ.get(PREFIX + name) or str(default)
    if not (text.isascii() and text.isdigit() and int(text) in allowed):
        raise StackError(
            _("HEMATOVISION_%(name)s is %(text)r: give a whole number from %(least)s to %(most)s.")
            % {"name": name, "text": text, "least": allowed[0], "most": allowed[-1]}
        )
    return int(text)


def _host(environ: Mapping[str, str], name: str, default: str) -> str:
    text = environ.get(PREFIX + name) or default
    try:
        address = ip_address(text[1:-1] if text.startswith("[") and text.endswith("]") else text)
    except ValueError:
        if _NAME.fullmatch(text):
            return text
    else:
        if not getattr(address, "scope_id", None):  # of one link: browsers take no such address
            return str(address)
    raise StackError(
        _(
            "HEMATOVISION_%(name)s is %(text)r: give an IP address or a name, without http:// and "
            "without a port."
        )
        % {"name": name, "text": text}
    )


def _switch(environ: Mapping[str, str], name: str) -> bool:
    text = environ.get(PREFIX + name) or "false"
    if text.lower() not in ("true", "false"):
        raise StackError(
            _("HEMATOVISION_%(name)s is %(text)r: give true or false.") % {"name": name, "text": text}
        )
    return text.lower() == "true"


def _check_certificate(certificate: str, key: str) -> None:
    if not (certificate and key):
        raise StackError(
            _("HEMATOVISION_CERTIFICATE and HEMATOVISION_CERTIFICATE_KEY go together: set both or neither.")
        )
    try:
        # Never ask for a password: nobody could give it at the next start.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: b"")
    except ssl.SSLError as error:
        raise StackError(
            _(
                "HEMATOVISION_CERTIFICATE and HEMATOVISION_CERTIFICATE_KEY must name a certificate and "
                "its private key, PEM, without a password: %(error)s."
            )
            % {"error": error.reason}
        ) from None
    except OSError as error:
        raise StackError(
            _(
                "HEMATOVISION_CERTIFICATE and HEMATOVISION_CERTIFICATE_KEY must name files that can be "
                "read: %(error)s."
            )
            % {"error": error.strerror}
        ) from None
