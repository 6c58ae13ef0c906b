"""`hematovision demo`: everything started, and some images classified in a demo lab."""

# What a command needs is imported inside it, as in infra.commands.cli.

from pathlib import Path
from typing import Annotated

import typer

from infra.commands.terminal import NOT_EVERYTHING, console, failures
from infra.language import _


def demo(
    images: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help=_("Use these images."))
    ] = None,
    once: Annotated[bool, typer.Option("--once", help=_("Stop afterwards instead of serving."))] = False,
) -> None:
    from infra.demo.run import run

    with failures():
        complete = run(images, keep_serving=not once, console=console)
    raise typer.Exit(0 if complete else NOT_EVERYTHING)
