"""Holding the stack in a terminal: started on the way in, stopped on the way out, whatever ends it."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from infra.language import _
from infra.local.errors import StackError
from infra.local.limits import WATCH_S
from infra.local.stack import Stack

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def running(stack: Stack) -> Iterator[None]:
    """Start the stack, and stop it at the end of the block or when a signal asks this process to end.

    The first such signal raises KeyboardInterrupt; further ones do not disturb the stopping.
    """
    for number in _ENDING:
        signal.signal(number, _interrupt)
    try:
        stack.start()
        yield
    finally:
        _ignore_signals()
        stack.stop()


def hold(stack: Stack) -> None:
    """Return only by KeyboardInterrupt.

    Raises:
        StackError: the supervisor ended, and the stack with it.
    """
    while stack.alive():
        time.sleep(WATCH_S)
    raise StackError(
        _("The supervisor ended unexpectedly: see %(log)s.")
        % {"log": stack.settings.home / "log" / "supervisord.log"}
    )


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    _ignore_signals()
    raise KeyboardInterrupt


def _ignore_signals() -> None:
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
