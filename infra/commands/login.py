"""`hematovision login`: a token for a server, kept for later commands."""

# What a command needs is imported inside it, as in infra.commands.cli.

from typing import Annotated

import typer

from infra.commands.server import Ca, Url, authority, server_at
from infra.commands.terminal import console, failures
from infra.language import _


def login(
    email: Annotated[str, typer.Option(prompt=_("Email"))],
    password: Annotated[
        str, typer.Option(prompt=_("Password"), hide_input=True, envvar="HEMATOVISION_PASSWORD")
    ],
    url: Url = None,
    ca: Ca = None,
) -> None:
    from infra.client import credentials
    from infra.client.client import Client
    from infra.client.errors import CodeNeededError

    with failures():
        server = server_at(url)
        with Client(server, ca=ca or authority(server)) as client:
            try:
                token = client.sign_in(email, password)
            except CodeNeededError:
                token = client.sign_in(email, password, typer.prompt(_("Code of your authenticator app")))
        path = credentials.save(client.url, token)
        console.print(
            _("Signed in to %(url)s. The token is kept in %(path)s.") % {"url": client.url, "path": path},
            markup=False,
            soft_wrap=True,
        )
