"""What can go wrong around the stack is said in a sentence, never in a traceback."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from infra.commands.terminal import failures
from infra.local import stack
from infra.local.config.secrets import Secrets
from infra.local.config.settings import Settings
from infra.local.errors import StackError
from infra.local.programs import outside, postgres
from infra.local.programs.catalogue import all_programs
from infra.local.stack import Stack


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EDQUOT])
def test_what_the_system_refuses(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, failures():
        raise OSError(number, os.strerror(number), "/srv/var/secrets.json")
    assert ended.value.exit_code == 2
    assert capsys.readouterr().err == f"/srv/var/secrets.json: {os.strerror(number)}.\n"


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(_file: object, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(StackError, match="offers no locks"):
        Stack(Settings(tmp_path)).start_services()


def test_a_start_that_is_under_way(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    for said in ("", "12"):  # before and after whoever took the lock wrote its number
        with (tmp_path / "run" / "owner").open("w+") as owner:
            owner.write(said)
            owner.flush()
            fcntl.flock(owner, fcntl.LOCK_EX)
            with pytest.raises(StackError, match="is being started"):
                Stack(Settings(tmp_path)).start_services()
            assert stack.is_running(tmp_path)


def test_stopping_what_is_just_being_started(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with (tmp_path / "run" / "owner").open("w+") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        with pytest.raises(StackError, match="just being started"):
            stack.stop_running(tmp_path)


def test_a_socket_of_another_accounts_store(tmp_path: Path) -> None:
    settings = Settings(tmp_path, base_port=1024)  # below what the tests take
    left = Path(f"/tmp/seaweedfs-filer-grpc-{settings.port('seaweedfs-filer-grpc')}.sock")  # noqa: S108
    left.mkdir()  # root removes every file
    try:
        with pytest.raises(StackError, match=f"{left} belongs to another account.*HEMATOVISION_BASE_PORT"):
            all_programs(settings, Secrets())["seaweedfs"].prepare()
    finally:
        left.rmdir()


@pytest.mark.parametrize("special", ['"', "$", "`", "\\"])
def test_folders_from_which_postgresql_cannot_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, special: str
) -> None:
    monkeypatch.setattr(postgres, "BINARIES", tmp_path / f"a{special}b")
    with pytest.raises(StackError, match="another folder"):
        postgres.prepare(tmp_path, None, Secrets())


def test_a_folder_outside_is_known_by_what_leads_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "PLACE", tmp_path / "lib")
    link = tmp_path / "var" / "postgres"
    link.parent.mkdir()
    outside.make(link)
    folder = link.readlink().parent
    assert folder.stat().st_mode & 0o777 == 0o711
    assert list(outside.abandoned()) == []

    link.rename(tmp_path / "moved")
    assert list(outside.abandoned()) == [(folder, str(link))]
    outside.own(tmp_path / "moved")
    assert list(outside.abandoned()) == []

    outside.remove(tmp_path / "moved")
    assert not folder.exists()
    with pytest.raises(StackError, match="which is gone"):
        outside.own(tmp_path / "moved")


def test_where_there_can_be_no_folder_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(outside, "PLACE", tmp_path / "file" / "lib")
    with pytest.raises(StackError, match="no folder can be made"):
        outside.make(tmp_path / "postgres")
    assert not (tmp_path / "postgres").is_symlink()


def test_ctrl_c_while_the_program_is_still_being_read() -> None:
    code = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, *_):
        if name == "infra.commands.cli":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
from infra.commands.entry import main
main()
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == -signal.SIGINT
    assert ended.stderr == ""
