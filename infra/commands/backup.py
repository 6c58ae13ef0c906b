"""`hematovision backup` and `restore`: the whole installation into a folder, and back.

What is in the folder is described in `webapp.backup`; what is added here are the secrets under a passphrase,
and the one-machine stack that a restore begins with.
"""

# What a command needs is imported inside it, as in infra.commands.cli.

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.terminal import console, failures
from infra.language import _

if TYPE_CHECKING:
    from infra.local.config.settings import Settings

_SECRETS, _LONGEST = "secrets.json", 1 << 20  # bytes

Passphrase = Annotated[
    str | None,
    typer.Option(envvar="HEMATOVISION_PASSPHRASE", help=_("Opens the secrets; asked for if not given.")),
]


def backup(
    folder: Annotated[Path, typer.Argument(file_okay=False, help=_("May hold older backups."))],
    passphrase: Passphrase = None,
    without_keys: Annotated[
        bool, typer.Option("--without-keys", help=_("Leave keys and secrets out."))
    ] = False,
) -> None:
    from infra.commands.passphrase import encrypt
    from infra.local.errors import StackError
    from infra.local.manage import manage, product_environment

    with failures():
        env = product_environment()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise StackError(
                _("%(folder)s cannot be written to by this account (%(account)s).")
                % {"folder": folder, "account": os.getuid()}
            )
        options = [str(folder.resolve()), *_postgres(env)]
        if without_keys:
            said = manage("back_up", *options, env=env)
        else:
            passphrase = passphrase or _asked(twice=True)
            with tempfile.NamedTemporaryFile("w", dir=folder, prefix=".secrets-") as file:
                file.write(encrypt(_secrets(env), passphrase))
                file.flush()
                said = manage("back_up", *options, f"--secrets={file.name}", env=env)
    console.print(said.strip(), soft_wrap=True, markup=False)
    if without_keys:
        console.print(
            _(
                "[bold]The keys are not in it.[/] Without the data keys nobody can read who the patients "
                "are: keep them elsewhere."
            ),
            soft_wrap=True,
        )


def restore(
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help=_("A backup folder, or a snapshot."))
    ],
    passphrase: Passphrase = None,
    force: Annotated[bool, typer.Option("--force", help=_("Replace what is there."))] = False,
    unauthenticated: Annotated[
        bool,
        typer.Option(
            "--unauthenticated",
            help=_("Though nobody vouches for it: made by a release that authenticated no backups."),
        ),
    ] = False,
    keys_to: Annotated[
        Path | None, typer.Option(help=_("Only write the backup's secrets into this new folder."))
    ] = None,
) -> None:
    from infra.local.config.settings import PREFIX, Settings
    from infra.local.manage import manage, product_environment

    with failures():
        snapshot = _snapshot(folder)
        if keys_to:
            _write(_decrypted(snapshot, passphrase), keys_to)
            console.print(_("The secrets are in %(keys_to)s.") % {"keys_to": keys_to})
            return
        options = ["restore_backup", str(snapshot), *(["--unauthenticated"] if unauthenticated else [])]
        if os.environ.keys() & {f"{PREFIX}DATABASE_URL", f"{PREFIX}DATABASE_URL_FILE"}:
            env = product_environment()
            said = manage(*options, *(["--force"] if force else []), *_postgres(env), env=env)
        else:
            settings = Settings.from_environment()
            with _new_home(settings, snapshot, passphrase, options, force=force) as env:
                said = manage(*options, *_postgres(env), env=env)
    console.print(said.strip(), soft_wrap=True, markup=False)


@contextmanager
def _new_home(
    settings: "Settings", snapshot: Path, passphrase: str | None, command: list[str], *, force: bool
) -> Iterator[Mapping[str, str]]:
    """A home with the backup's secrets and empty, running services; what was there is put back on failure.

    Args:
        command: what restores the snapshot, and first, before anything is touched, verifies it.
    """
    import shutil
    from dataclasses import replace

    from infra.local.config import authority
    from infra.local.config.environment import environment
    from infra.local.config.secrets import Secrets, data_keys_file
    from infra.local.errors import StackError
    from infra.local.manage import manage
    from infra.local.programs import outside_folder
    from infra.local.programs.postgres import data_link
    from infra.local.stack import Stack, is_running

    home = settings.home
    if is_running(home):
        raise StackError(
            _("HematoVision is running in %(home)s. Stop it first: `hematovision down`.") % {"home": home}
        )
    keys = data_keys_file(home)
    occupied = home.exists() and any(path != keys for path in home.iterdir())
    if occupied and not force:
        raise StackError(_("%(home)s holds an installation. --force moves it aside.") % {"home": home})
    files = _decrypted(snapshot, passphrase) if (snapshot / _SECRETS).exists() else {}
    if not files and not keys.exists():
        raise StackError(
            _("The backup has no keys. Put the data keys that it was made with into %(keys)s first.")
            % {"keys": keys}
        )
    if not files:
        files = {keys.name: keys.read_text()}
    made = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    draft, aside = home.with_name(f"{home.name}.new-{made}"), home.with_name(f"{home.name}.before-{made}")
    stack = Stack(settings)
    begun = False
    try:
        _write(files, draft)
        trial = replace(settings, home=draft)
        authority.make(trial)  # a command starts with the files that its settings name
        manage(*command, "--only-verify", env=environment(trial, Secrets.load(draft)))
        if home.exists():
            _move(home, aside)
        begun = True
        draft.rename(home)
        stack.start_services()
        yield stack.owner_environment
    except BaseException:
        stack.stop()
        shutil.rmtree(draft, ignore_errors=True)
        if begun or aside.exists():
            outside_folder.remove(data_link(home))
            shutil.rmtree(home, ignore_errors=True)
        if aside.exists():
            _move(aside, home)
        raise
    stack.stop()
    if aside.exists() and not occupied:
        shutil.rmtree(aside)
    elif aside.exists():
        console.print(_("What was there before is in %(aside)s.") % {"aside": aside}, soft_wrap=True)


def _move(home: Path, to: Path) -> None:
    from infra.local.programs import outside_folder
    from infra.local.programs.postgres import data_link

    home.rename(to)
    if data_link(to).is_symlink():
        outside_folder.own(data_link(to))


def _snapshot(folder: Path) -> Path:
    from infra.local.errors import StackError

    if (folder / "manifest.json").exists():
        return folder.resolve()
    whole = sorted(path for path in folder.glob("snapshots/*Z") if path.is_dir())
    if not whole:
        raise StackError(_("There is no backup in %(folder)s.") % {"folder": folder})
    return whole[-1].resolve()


def _secrets(env: Mapping[str, str]) -> dict[str, str]:
    """Texts by file name: what the one-machine stack keeps, or what this process was given."""
    from infra.local.config.secrets import SECRETS_FILE, data_keys_file
    from infra.local.config.settings import PREFIX

    if home := env.get(f"{PREFIX}HOME"):
        return {
            path.name: path.read_text() for path in (Path(home) / SECRETS_FILE, data_keys_file(Path(home)))
        }
    given = {}
    for name in ("DATA_KEYS", "SECRET_KEY"):
        file = os.environ.get(f"{PREFIX}{name}_FILE")
        given[name.lower()] = Path(file).read_text() if file else os.environ.get(PREFIX + name, "")
    return given


def _decrypted(snapshot: Path, passphrase: str | None) -> dict[str, str]:
    from infra.commands.passphrase import decrypt
    from infra.local.errors import StackError

    path = snapshot / _SECRETS
    if not path.exists():
        raise StackError(_("The backup was made without keys: there are none in it."))
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _LONGEST:
        raise StackError(_("%(path)s is not what was written.") % {"path": path})
    files = decrypt(path.read_text(), passphrase or _asked())
    if any(Path(name).name != name for name in files):
        raise StackError(_("%(path)s names files outside its folder.") % {"path": path})
    return files


def _asked(*, twice: bool = False) -> str:
    from infra.local.errors import StackError

    if not sys.stdin.isatty():  # a timer's: nobody would answer
        raise StackError(_("There is no passphrase. Set HEMATOVISION_PASSPHRASE."))
    return str(typer.prompt(_("Passphrase"), hide_input=True, confirmation_prompt=twice))


def _write(files: Mapping[str, str], folder: Path) -> None:
    from infra.local.config.secrets import write_private
    from infra.local.errors import StackError

    try:
        folder.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise StackError(
            _("%(folder)s cannot be made: %(error)s.") % {"folder": folder, "error": error.strerror}
        ) from error
    for name, text in files.items():
        write_private(folder / name, text)


def _postgres(env: Mapping[str, str]) -> list[str]:
    """Where pg_dump is: the one-machine stack has its own, elsewhere it is looked for in the PATH."""
    if not env:
        return []
    from infra.local.programs.postgres import BINARIES

    return [f"--postgres={BINARIES}"]
