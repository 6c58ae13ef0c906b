"""The database as one file, by PostgreSQL's own pg_dump and pg_restore."""

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from django.conf import settings
from django.core.management import CommandError
from django.db import connection
from django.db.backends.postgresql.client import DatabaseClient
from django.db.migrations.loader import MigrationLoader
from django.utils.translation import gettext as _

from webapp.backup.snapshots import Damaged

_ASIDE = "before_restore"
_BLOCK = 1 << 20


def dump(to: Path, binaries: Path | None) -> None:
    """Write the database as it is at one moment, in pg_dump's custom format."""
    _run("pg_dump", binaries, "--format=custom", "--no-owner", "--no-privileges", f"--file={to}")


def restore(archive: IO[bytes], sha256: str, binaries: Path | None) -> None:
    """Read it back into an empty database, whole or not at all.

    An archive is statements to run. Its last bytes are held back until all of it is known to be what was
    written, and without them pg_restore does not commit.

    Raises:
        Damaged: it is something else than its SHA-256 says.
        CommandError: pg_restore failed.
    """
    options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
    argv, env = _command("pg_restore", binaries, *options)
    digest = hashlib.sha256()
    with TemporaryFile() as said:
        process = subprocess.Popen(
            argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said
        )
        assert process.stdin  # noqa: S101 - a pipe was asked for
        try:
            with suppress(BrokenPipeError):  # it ended early: its exit status says so
                held = b""
                while block := archive.read(_BLOCK):
                    digest.update(block)
                    process.stdin.write(held)
                    held = block
                if digest.hexdigest() != sha256:
                    raise Damaged(_("The archive of the database is not what was written."))
                process.stdin.write(held)
                process.stdin.close()
        except BaseException:
            process.kill()
            raise
        finally:
            with suppress(BrokenPipeError):
                process.stdin.close()
            failed = process.wait()
        if failed:
            said.seek(0)
            raise _failed("pg_restore", said.read().decode(errors="replace"))


def is_empty() -> bool:
    return not connection.introspection.table_names()


def used_from() -> list[str]:
    """Addresses from which the product's role or the owner is connected, besides this process."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT coalesce(host(client_addr), 'this machine') FROM pg_stat_activity "
            "WHERE datname = current_database() AND usename IN (current_user, %s) "
            "AND pid <> pg_backend_pid() ORDER BY 1",
            [settings.DATABASE_ROLE],
        )
        return [address for (address,) in cursor.fetchall()]


@contextmanager
def emptied() -> Iterator[None]:
    """An empty database inside. What it held is dropped afterwards or, where that fails, restored."""
    _execute(
        f"ALTER SCHEMA public RENAME TO {_ASIDE}; CREATE SCHEMA public; "
        "GRANT USAGE ON SCHEMA public TO PUBLIC"  # as in a new database
    )
    try:
        yield
    except BaseException:
        undo_emptied()
        raise
    _execute(f"DROP SCHEMA {_ASIDE} CASCADE")


def undo_emptied() -> None:
    """Undo an `emptied` that did not come to its end, if there was one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regnamespace(%s)", [_ASIDE])
        if cursor.fetchone() != (None,):
            cursor.execute(f"DROP SCHEMA public CASCADE; ALTER SCHEMA {_ASIDE} RENAME TO public")


def schema() -> list[str]:
    """The migrations that the database has, as `app.name`, sorted."""
    return sorted(".".join(key) for key in MigrationLoader(connection).applied_migrations)


def known_schema() -> set[str]:
    """The migrations that this version of the product has, as `app.name`."""
    return {".".join(key) for key in MigrationLoader(None).disk_migrations}


def _execute(statements: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statements)


def _run(program: str, binaries: Path | None, *options: str) -> None:
    argv, env = _command(program, binaries, *options)
    done = subprocess.run(argv, env=env, capture_output=True, text=True)
    if done.returncode:
        raise _failed(program, done.stderr)


def _failed(program: str, said: str) -> CommandError:
    return CommandError(_("%(program)s failed: %(said)s") % {"program": program, "said": said.strip()})


def _command(program: str, binaries: Path | None, *options: str) -> tuple[list[str], dict[str, str] | None]:
    path = str(binaries / program) if binaries else shutil.which(program)
    if path is None:
        text = _(
            "%(program)s is not installed here. It belongs to PostgreSQL; install the version of your server."
        )
        raise CommandError(text % {"program": program})
    # As Django would call psql: the password and certificates in its environment, never among its arguments.
    (_program, *target, name), env = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [])
    return [path, *target, f"--dbname={name}", "--no-password", *options], env
