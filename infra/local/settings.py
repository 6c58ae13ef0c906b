"""What a person may choose about the one-machine stack, read from the environment in one place."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.local.errors import NotRunningError, StackError

LOOPBACK = "127.0.0.1"
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - what is refused
PREFIX = "HEMATOVISION_"

# Programs that tell figures to Prometheus, each on a port of its own.
FIGURES = ("web", "relay", "worker-interactive", "worker-bulk")

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
    *(f"figures-{name}" for name in FIGURES),
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
    """

    home: Path
    host: str = LOOPBACK
    public_host: str = LOOPBACK
    web_port: int = 8000
    base_port: int = 18470

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Settings as the environment gives them.

        Raises:
            StackError: a port is not a number that a port can have, or browsers are not told where to go.
        """
        host = environ.get(f"{PREFIX}HOST") or LOOPBACK
        if host in EVERYWHERE and not environ.get(f"{PREFIX}PUBLIC_HOST"):
            raise StackError(
                f"{PREFIX}HOST is {host}, every address of this machine: set {PREFIX}PUBLIC_HOST to the name "
                "by which browsers reach it. Without TLS in front, passwords travel in the clear."
            )
        return cls(
            home=home_from_environment(environ),
            host=host,
            public_host=environ.get(f"{PREFIX}PUBLIC_HOST") or host,
            web_port=_port(environ, "WEB_PORT", cls.web_port, room=1),
            base_port=_port(environ, "BASE_PORT", cls.base_port, room=10_000 + len(BLOCK)),
        )

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
                f"{path} is damaged. The next start, after `make down`, writes it anew."
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
        return f"http://{self.public_host}:{self.web_port}"

    @property
    def mail(self) -> Path:
        """Folder of the messages that the product sends while no mail server is named (`EMAIL_URL`)."""
        return self.home / "mail"

    @property
    def prometheus(self) -> Path:
        """Configuration with which a Prometheus watches this stack, written at every start."""
        return self.home / "prometheus.yml"

    @property
    def beyond_loopback(self) -> bool:
        """Whether other machines can reach the web page."""
        return self.host not in (LOOPBACK, "localhost")

    @property
    def web_here(self) -> str:
        """Address of the web page, as this machine reaches it."""
        return f"http://{LOOPBACK if self.host in EVERYWHERE else self.host}:{self.web_port}"


def home_from_environment(environ: Mapping[str, str] = os.environ) -> Path:
    """Absolute path of the folder of all state: `HEMATOVISION_HOME`, or `var` in the current folder."""
    return Path(environ.get(f"{PREFIX}HOME") or "var").expanduser().resolve()


def _port(environ: Mapping[str, str], name: str, default: int, *, room: int) -> int:
    text = environ.get(PREFIX + name) or str(default)
    highest = 65536 - room
    if not (text.isascii() and text.isdigit() and 1024 <= int(text) <= highest):
        raise StackError(f"{PREFIX}{name} is {text!r}: give a whole number from 1024 to {highest}.")
    return int(text)
