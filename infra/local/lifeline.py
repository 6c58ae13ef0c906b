"""No program outlives the stack: children end with their parent, and orphans are ended at the next start."""

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from infra.local.config.settings import PREFIX
from infra.local.limits import KILLED_S, LEFTOVERS_STOP_S

_PR_SET_PDEATHSIG = 1
_HOME, PROGRAM = f"{PREFIX}HOME", f"{PREFIX}PROGRAM"


def die_with_parent(parent: int, signum: int = signal.SIGTERM) -> None:
    """Have the kernel send this process a signal when its parent ends, however it ends.

    Survives `exec`, not `fork`. Linux only; elsewhere `end_leftovers` at the next start does the work.

    Args:
        parent: process id of the parent; if it has ended already, this process ends now.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signum, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def mark(home: Path, program: str) -> dict[str, str]:
    """Variables by which `end_leftovers` knows a program of the stack in `home`, and all its children."""
    return {_HOME: str(home), PROGRAM: program}


def end_leftovers(home: Path, program: str | None = None, *, patience_s: float = LEFTOVERS_STOP_S) -> int:
    """End the programs of the stack in `home` (or one of them) that no supervisor looks after any more.

    Args:
        patience_s: how long they may take to end by themselves before they are killed.

    Returns:
        How many there were.
    """
    leftovers = list(_marked(home, program))
    for process in leftovers:
        _send(process, signal.SIGTERM)
    _, stubborn = psutil.wait_procs(leftovers, timeout=patience_s)
    for process in stubborn:
        _send(process, signal.SIGKILL)
    psutil.wait_procs(stubborn, timeout=KILLED_S)
    return len(leftovers)


def _marked(home: Path, program: str | None) -> Iterator[psutil.Process]:
    ourselves = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    for process in psutil.process_iter():
        if process.pid in ourselves:
            continue
        try:
            environ = process.environ()
        except (psutil.Error, OSError):
            continue
        if environ.get(_HOME) == str(home) and environ.get(PROGRAM) and program in (None, environ[PROGRAM]):
            yield process


def _send(process: psutil.Process, signum: int) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(signum)
