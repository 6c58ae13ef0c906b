"""`hematovision erase`: a person, for good."""

# What a command needs is imported inside it, as in infra.commands.cli.

from typing import Annotated
from uuid import UUID

import typer

from infra.commands.terminal import failures
from infra.language import _


def erase(
    patient: Annotated[UUID, typer.Option(help=_("The patient's id, which the page of the patient shows."))],
) -> None:
    from infra.local.manage import become

    with failures():
        become("erase_patient", f"--patient={patient}")
