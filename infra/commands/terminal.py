"""What every command of the command line says in the same way: failures in one line, with an exit code."""

import errno
import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console

from infra.language import _

NOT_EVERYTHING = 1  # it worked, but some images were not classified, or may be missing
FAILED = 2
INTERRUPTED = 130

console = Console(highlight=False)


def print_anything() -> None:
    """Write what the terminal's encoding lacks as `\\xe4`, instead of ending in the middle of a result."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def failures() -> Iterator[None]:
    """Turn what a person can do something about into one line and an exit code."""
    from infra.client.errors import ClientError
    from infra.local.errors import StackError

    try:
        yield
        if sys.stdout:
            sys.stdout.flush()
    except (StackError, ClientError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        _complain(_("Interrupted. The same command goes on where it was."))
        if threading.active_count() > 1:  # Python would wait for transfers that wait for an answer
            os._exit(INTERRUPTED)
        raise typer.Exit(INTERRUPTED) from None
    except OSError as error:  # a full disk, a file of somebody else
        if error.errno in (errno.EPIPE, errno.ENOSPC, errno.EIO):
            _give_up_output()
        if error.errno == errno.EPIPE:
            raise typer.Exit(FAILED) from None  # whoever read along has gone: there is nobody to tell
        about = f"{error.filename}: " if error.filename else ""
        fail(f"{about}{error.strerror or error}.")


def _give_up_output() -> None:
    """Let what could not be written not fail once more when Python ends."""
    if sys.stdout:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fail(message: str, code: int = FAILED) -> NoReturn:
    _complain(message)
    raise typer.Exit(code)


def _complain(message: str) -> None:
    Console(stderr=True, highlight=False).print(message, style="red", markup=False, soft_wrap=True)
