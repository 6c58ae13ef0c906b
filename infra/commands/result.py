"""`hematovision result`: the versions of a case's signed result. Signing is done on the page, by a person."""

# What a command needs is imported inside it, as in infra.commands.cli.

from typing import Annotated

import typer

from infra.commands.server import Ca, Url, authority, server_at
from infra.commands.terminal import NOT_EVERYTHING, console, fail, failures
from infra.language import _


def result(
    case: Annotated[str, typer.Option(help=_("Accession number of the case."))],
    url: Url = None,
    ca: Ca = None,
    token: Annotated[
        str | None, typer.Option(envvar="HEMATOVISION_TOKEN", help=_("Or `login` first."))
    ] = None,
) -> None:
    from infra.client import credentials, report
    from infra.client.client import Client
    from infra.client.errors import SignInError
    from infra.client.files import as_text

    with failures():
        server = server_at(url)
        with Client(server, token or credentials.load(server), ca=ca or authority(server)) as client:
            try:
                found = client.find_case(as_text(case))
                versions = client.results(found.id)
                altered = client.result(found.id)["altered"] if versions else []
            except SignInError as error:
                fail(
                    _("%(error)s Sign in with `hematovision login --url %(url)s`, or give --token.")
                    % {"error": error, "url": server}
                )
            if not versions:
                console.print(_("Nobody has signed this case."))
            for table in report.results(found, versions):
                console.print(table)
            for problem in altered:
                console.print(_("Altered, do not use it: %(problem)s") % {"problem": problem}, markup=False)
            page = "result/" if versions else "sign/"
            console.print(f"{client.url}/cases/{found.id}/{page}", soft_wrap=True, markup=False)
    raise typer.Exit(0 if versions and not altered else NOT_EVERYTHING)
