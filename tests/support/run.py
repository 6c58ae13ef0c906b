"""What all processes of one test run share: services that start once, and whatever else is done once."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from infra.local.config.settings import Settings
from infra.local.errors import StackError
from infra.local.stack import Stack

_READY = "ready"


class Run:
    """A test run in a folder, with the services that its tests share.

    The run is over when the process that began it ends it, or dies.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock: IO[str] | None = None

    def begin(self) -> None:
        """Own the run until `end`, or until this process is gone."""
        self._lock = self._going_on.open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def end(self) -> None:
        """Have the services stopped."""
        assert self._lock is not None
        self._lock.close()
        with locked(self._kept):
            pass

    def once(self, name: str, do: Callable[[], object]) -> None:
        """Do something that no process of this run has done yet, while the others wait.

        Raises:
            StackError: whoever did it failed.
        """
        outcome = self._home / f"{name}.once"
        with locked(self._home / f"{name}.lock"):
            if not outcome.exists():
                try:
                    do()
                except BaseException as error:
                    outcome.write_text(f"{type(error).__name__}: {error}")
                    raise
                outcome.touch()
        if failed := outcome.read_text():
            raise StackError(f"Tried once in this run, in vain: {name}. {failed}")

    def start_services(self) -> None:
        """Have PostgreSQL, Valkey, the object store and the model server running.

        Raises:
            StackError: one of them does not start.
        """
        self.once("services", self._start_keeper)

    def _start_keeper(self) -> None:
        said = subprocess.run(
            [sys.executable, "-m", __name__, str(self._home)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # neither Ctrl-C nor the end of this worker is for it
        ).stdout
        if said != _READY:
            raise StackError(said or "The process that keeps the services ended.")

    def keep(self, report: IO[str]) -> None:
        """Hold the services until the run is over, once `report` has been told that they are ready."""
        with locked(self._kept), report:
            stack = Stack(Settings.of_running(self._home))
            try:
                stack.start_services()
                report.write(_READY)
                report.close()
                with locked(self._going_on):
                    pass
            except StackError as error:
                report.write(str(error))
            finally:
                stack.stop()

    @property
    def _going_on(self) -> Path:
        return self._home / "going-on.lock"

    @property
    def _kept(self) -> Path:
        return self._home / "kept.lock"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Be the only one in the block, of all processes."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    if os.fork():
        os._exit(0)  # whoever asked goes on
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "w")  # which no program of the stack inherits
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    Run(Path(sys.argv[1])).keep(answer)
