"""What keeps a stack from starting or stopping is said in a sentence, never in a traceback."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from infra.local import stack
from infra.local.config.settings import Settings
from infra.local.errors import StackError
from infra.local.stack import Stack


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
