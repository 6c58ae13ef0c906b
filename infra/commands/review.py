"""`hematovision review`: a case's two differentials, and labels made elsewhere as decisions."""

# What a command needs is imported inside it, as in infra.commands.cli.

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.server import Ca, Url, authority, server_at
from infra.commands.terminal import NOT_EVERYTHING, console, fail, failures
from infra.language import _, ngettext

if TYPE_CHECKING:
    from infra.client.client import Case, Client
    from infra.client.labels import Problem


def review(
    case: Annotated[str, typer.Option(help=_("Accession number of the case."))],
    labels: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help=_(
                "CSV of file and class, and of words for Other: decide as it says. "
                "What was decided otherwise stays as it is."
            ),
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=_("List the problems of the labels, and decide nothing."))
    ] = False,
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

    if dry_run and labels is None:
        fail(_("Give --labels: without it nothing would be decided anyway."))
    with failures():
        server = server_at(url)
        with Client(server, token or credentials.load(server), ca=ca or authority(server)) as client:
            try:
                found = client.find_case(as_text(case))
                problems = _decided(client, found, labels, dry_run=dry_run) if labels else []
                if not dry_run:
                    for table in report.both_differentials(found, client.first_reading(found.id)):
                        console.print(table)
            except SignInError as error:
                fail(
                    _("%(error)s Sign in with `hematovision login --url %(url)s`, or give --token.")
                    % {"error": error, "url": server}
                )
            console.print(f"{client.url}/cases/{found.id}/", soft_wrap=True, markup=False)
    raise typer.Exit(NOT_EVERYTHING if problems else 0)


def _decided(client: "Client", case: "Case", path: Path, *, dry_run: bool) -> "list[Problem]":
    """Decide as the list says, or only say what would come of it; returns what is not decided."""
    from infra.client import labels
    from infra.client.files import printable

    classes = client.classes()
    found = labels.match(labels.read(path), client.images(case.id), classes)
    names = {one["code"]: str(one["name"]) for one in classes}
    problems = list(found.problems)
    nothing_to_send = dry_run or not found.found
    reading = client.first_reading(case.id) if nothing_to_send else client.open_first_reading(case.id)
    decided = client.decided(reading) if reading else {}
    problems += labels.otherwise(found.found, decided, names)
    if reading and not nothing_to_send:
        new = [label for label in found.found if label.cell not in decided]
        for batch, gesture in labels.gestures(new, reading["revision"]):
            answer = client.decide(reading["id"], gesture)
            problems += labels.not_decided(batch, answer, names)
    problems.sort(key=lambda problem: problem.line)
    for problem in problems:
        said = _("line %(line)d: %(reason)s") % {"line": problem.line, "reason": problem.reason}
        console.print(printable(said), soft_wrap=True, markup=False)
    total = len(found.found) + len(found.problems)
    good = total - len(problems)
    said = (
        ngettext(
            "%(good)d of %(n)d line can be decided. Nothing was sent.",
            "%(good)d of %(n)d lines can be decided. Nothing was sent.",
            total,
        )
        if dry_run
        else ngettext("%(good)d of %(n)d line is decided.", "%(good)d of %(n)d lines are decided.", total)
    )
    console.print(said % {"good": good, "n": total})
    return problems
