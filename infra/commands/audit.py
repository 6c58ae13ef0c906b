"""`hematovision audit`: whether the trail of who did what is whole."""

# What a command needs is imported inside it, as in infra.commands.cli.

from typing import Annotated

import typer

from infra.commands.terminal import failures
from infra.language import _

app = typer.Typer(help=_("The audit trail: verify, anchor."), no_args_is_help=True)

Lab = Annotated[str | None, typer.Option(help=_("Only this lab's: its name or id."))]


@app.command(
    help=_(
        "Find whatever was changed, deleted or slipped in behind the product's back.\n\n"
        "Exit codes: 0 the trail is whole; 1 it is not, and each entry is named; 2 it could not be "
        "checked."
    ),
)
def verify(lab: Lab = None) -> None:
    from infra.local.manage import become

    with failures():
        become("verify_audit", *([f"--lab={lab}"] if lab else []))


@app.command(
    help=_("Write the head of every chain to the object store, as is done every night."),
)
def anchor() -> None:
    from infra.local.manage import become

    with failures():
        become("anchor_audit")
