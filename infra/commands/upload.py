"""`hematovision upload`: a folder of images into a case, and what became of each."""

# What a command needs is imported inside it, as in infra.commands.cli.

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.commands.server import Ca, Url, authority, server_at
from infra.commands.terminal import NOT_EVERYTHING, console, fail, failures
from infra.language import _


class Priority(Enum):
    """As the API names them."""

    ROUTINE = "routine"
    URGENT = "urgent"
    STAT = "stat"


def upload(
    folder: Annotated[Path, typer.Argument(exists=True, help=_("A folder of images, or one image."))],
    case: Annotated[str, typer.Option(help=_("Accession number; a new one opens a case."))],
    url: Url = None,
    ca: Ca = None,
    token: Annotated[
        str | None, typer.Option(envvar="HEMATOVISION_TOKEN", help=_("Or `login` first."))
    ] = None,
    wait: Annotated[bool, typer.Option(help=_("Wait for the result and show it."))] = True,
    slide: Annotated[
        str | None, typer.Option(help=_("Label of that slide of the case which the images are of."))
    ] = None,
    replaces: Annotated[
        str | None,
        typer.Option(
            help=_(
                "Name or id of the refused or failed file of the case in whose place the one file is given."
            )
        ),
    ] = None,
    priority: Annotated[
        Priority | None, typer.Option(help=_("How soon the result of the case is needed."))
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help=_("Send also what was refused before, to be judged once more."))
    ] = False,
) -> None:
    from infra.client import credentials, report
    from infra.client.client import Client
    from infra.client.errors import SignInError
    from infra.client.files import as_text, gather, shown
    from infra.client.upload import Uploaded

    given = gather(folder)
    with failures():
        if not given.files:
            if given.left_out:
                report.Summary.of(folder, given, Uploaded(), []).print(console)
            fail(_("There is no image in %(folder)s.") % {"folder": shown(folder)})
        server = server_at(url)
        with Client(server, token or credentials.load(server), ca=ca or authority(server)) as client:
            try:
                opened = client.open_case(as_text(case))
            except SignInError as error:
                fail(
                    _("%(error)s Sign in with `hematovision login --url %(server)s`, or give --token.")
                    % {"error": error, "server": server}
                )
            of = _slide(client.slides(opened), as_text(slide)) if slide else None
            other = _replaced(client.outstanding(opened), as_text(replaces)) if replaces else None
            if other and len(given.files) != 1:
                fail(_("One file is given in place of one; here are %(n)s.") % {"n": len(given.files)})
            if priority:
                client.set_priority(opened, priority.value)
            uploaded = report.upload(
                client, opened, given.files, console, again=again, slide=of, replaces=other
            )
            judged: list[dict[str, Any]] = []
            if wait:
                finished = report.wait(client, client.case(opened.id), console)
                for status in ("refused", "failed"):
                    judged += client.images(opened.id, status=status)
                console.print(report.differential(finished))
            summary = report.Summary.of(folder, given, uploaded, judged)
            summary.print(console)
            console.print(f"{client.url}/cases/{opened.id}/", soft_wrap=True, markup=False)
    raise typer.Exit(0 if summary.is_whole else NOT_EVERYTHING)


def _replaced(outstanding: list[dict[str, Any]], named: str) -> int:
    """The id of the case's file with this name or id; ends the command where there is none, or several."""
    found = [int(image["id"]) for image in outstanding if named in (image["name"], str(image["id"]))]
    if len(found) > 1:
        ids = ", ".join(map(str, found))
        fail(
            _("Several files are called %(name)s. Give the id of one: %(ids)s.") % {"name": named, "ids": ids}
        )
    if not found and outstanding:
        names = ", ".join(f"{image['name']} ({image['id']})" for image in outstanding[:20])
        fail(
            _("The case has no refused or failed file %(name)s. It has %(names)s.")
            % {"name": named, "names": names}
        )
    if not found:
        fail(_("The case has no refused or failed file that nothing was given for."))
    return found[0]


def _slide(known: dict[str, int], label: str) -> int:
    """The id of the case's slide with this label; ends the command where there is none."""
    if label not in known and known:
        fail(
            _("The case has no slide %(label)s. It has %(labels)s.")
            % {"label": label, "labels": ", ".join(known)}
        )
    if label not in known:
        fail(_("The case has no slide %(label)s. Name its slides on its page first.") % {"label": label})
    return known[label]
