"""Which server a command speaks to: its address, and whom to trust there."""

# What a command needs is imported inside it, as in infra.commands.cli.

import os
from pathlib import Path
from typing import Annotated

import typer

from infra.language import _

Url = Annotated[
    str | None,
    typer.Option(
        envvar="HEMATOVISION_URL", help=_("Address of the server; without it, the one on this machine.")
    ),
]
Ca = Annotated[
    Path | None,
    typer.Option(
        envvar="HEMATOVISION_CA",
        exists=True,
        dir_okay=False,
        help=_("Certificate of an authority of your own that signed the server's, PEM."),
    ),
]


def server_at(url: str | None) -> str:
    """The address given, or that of this machine's installation, as the environment says or as it runs."""
    from infra.local.config.settings import PREFIX, Settings, home_from_environment
    from infra.local.errors import NotRunningError

    if url:
        return url
    if any(os.environ.get(f"{PREFIX}{name}") for name in ("WEB_PORT", "HOST", "PUBLIC_HOST")):
        return Settings.from_environment().url
    try:
        return Settings.of_running(home_from_environment()).url
    except NotRunningError:
        return Settings(home_from_environment()).url


def authority(url: str) -> Path | None:
    """Certificate of the authority of this machine's own product, where that is what is at `url`."""
    from infra.local.config.settings import Settings, home_from_environment
    from infra.local.errors import NotRunningError

    try:
        settings = Settings.of_running(home_from_environment())
    except NotRunningError:
        return None
    ours = {settings.address(name) for name in settings.names}
    return settings.authority if url.rstrip("/") in ours else None
