"""What every command of the command line says in the same way: failures in one line, with an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console

FAILED = 2
INTERRUPTED = 130

console = Console(highlight=False)


@contextmanager
def failures() -> Iterator[None]:
    """Turn what a person can do something about into one line and an exit code."""
    from infra.client import ClientError
    from infra.local.errors import StackError

    try:
        yield
    except (StackError, ClientError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("Interrupted. The same command goes on where it was.", INTERRUPTED)


def fail(message: str, code: int = FAILED) -> NoReturn:
    Console(stderr=True, highlight=False).print(message, style="red", markup=False, soft_wrap=True)
    raise typer.Exit(code)
