"""A run of the whole product: a demo laboratory, some images, their differential count, and the time."""

import json
import time
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.client import report
from infra.client.client import Client
from infra.client.files import Given, gather
from infra.demo import cells
from infra.language import _, ngettext
from infra.language.numbers import decimal
from infra.local.config.secrets import write_private
from infra.local.config.settings import Settings
from infra.local.errors import AlreadyRunningError, StackError
from infra.local.foreground import hold, running
from infra.local.stack import Stack
from serving.contract import CELL_LABELS

LAB = "Demo laboratory"  # untranslated: a name, which the lab keeps
ROLES = (
    "technician",
    "pathologist",
    "lab_supervisor",
    "clinician",
    "researcher",
    "data_scientist",
    "learner",
    "admin",
)
UNIDENTIFIED = "unidentified"

_PER_CLASS, _SEED = 12, 1


def run(folder: Path | None, *, keep_serving: bool, console: Console) -> bool:
    """Start the stack unless it runs, classify the images in `folder` (or drawn ones) and show the result.

    Args:
        keep_serving: stay until Ctrl-C instead of stopping the stack.

    Returns:
        Whether every image was classified.

    Raises:
        StackError: the stack does not start, or there is no image.
        ClientError: the stack does not answer.
    """
    settings = Settings.from_environment()
    stack = Stack(settings, report=lambda message: console.print(f"  {message}"))
    complete = False
    with ExitStack() as held:
        try:
            held.enter_context(running(stack))
            ours = True
        except AlreadyRunningError as error:
            console.print(str(error))
            stack = Stack(Settings.of_running(settings.home))
            ours = False
        try:
            place = folder or _drawn(settings.home, console)
            given = gather(place)
            if not given.files:
                raise StackError(_("There is no image in %(place)s.") % {"place": place})
            people = _people(stack)
            complete = _classify(stack.settings, people, place, given, drawn=folder is None, console=console)
            _show_logins(people, stack.settings.url, console)
            console.print(
                _("Messages to people, with their codes, lie in %(mail)s.") % {"mail": stack.settings.mail},
                soft_wrap=True,
            )
            if keep_serving and ours:
                console.print(_("Ctrl-C stops it."))
                hold(stack)
        except KeyboardInterrupt:
            console.print(_("HematoVision has stopped."))
    return complete


def _drawn(home: Path, console: Console) -> Path:
    folder = home / "demo" / "drawn"
    drawn = len(cells.write(folder, _PER_CLASS, _SEED))
    said = ngettext("%(n)s cell is drawn", "%(n)s cells are drawn", drawn) % {"n": drawn}
    console.print(f"  {said}")
    return folder


def _people(stack: Stack) -> dict[str, dict[str, str]]:
    """The demo laboratory's members by role, each with e-mail, password and token; made on the first run."""
    saved = stack.settings.home / "demo" / "people.json"
    if not saved.exists():
        members = [f"--member={role}@demo.example:{role}" for role in ROLES]
        made = json.loads(stack.manage("create_lab", LAB, "--json", *members))["members"]
        saved.parent.mkdir(exist_ok=True)
        write_private(saved, json.dumps({person["role"]: person for person in made}, indent=2))
    people: dict[str, dict[str, str]] = json.loads(saved.read_text())
    return people


def _classify(
    settings: Settings,
    people: dict[str, dict[str, str]],
    place: Path,
    given: Given,
    *,
    drawn: bool,
    console: Console,
) -> bool:
    files = given.files
    with Client(settings.url, people["technician"]["token"], ca=settings.authority) as client:
        case = client.open_case(f"DEMO-{datetime.now():%Y%m%d-%H%M%S}")  # noqa: DTZ005 - a name, in local time
        started = time.monotonic()
        sent = report.upload(client, case, files, console)
        finished = report.wait(client, client.case(case.id), console)
        took = time.monotonic() - started
        answers = {image["id"]: image for image in client.images(case.id)}
    console.print("", report.differential(finished))
    outcomes = [(path, answers[image_id]) for path, image_id in sent.ids.items()]
    if sentence := accuracy(outcomes):
        console.print(sentence, soft_wrap=True)
    classified = sum(answer["status"] == "classified" for _, answer in outcomes)
    console.print(
        ngettext(
            "Time: %(n)s image in %(took)s s, %(rate)s images/s, from the first upload to the last result.",
            "Time: %(n)s images in %(took)s s, %(rate)s images/s, from the first upload to the last result.",
            len(files),
        )
        % {"n": len(files), "took": decimal(took), "rate": decimal(len(files) / took)},
        soft_wrap=True,
    )
    if drawn:
        console.print(
            _(
                "These images are drawn by a program, not photographed: the numbers say that the parts "
                "work together, and nothing about real blood. `make demo IMAGES=folder` takes yours."
            ),
            style="yellow",
            soft_wrap=True,
        )
    summary = report.Summary.of(place, given, sent, answers.values())
    summary.print(console)
    console.print(
        _("Classified: %(classified)s of %(all)s.   Case: %(page)s")
        % {"classified": classified, "all": len(files), "page": f"{settings.url}/cases/{case.id}/"},
        soft_wrap=True,
    )
    return summary.is_whole


def accuracy(outcomes: Iterable[tuple[Path, dict[str, Any]]]) -> str | None:
    """How often the suggestion is the name of the image's folder; None where no folder is a class.

    Args:
        outcomes: each file with what the API says of its image.
    """
    named = [
        (path.parent.name, answer["cell_class"])
        for path, answer in outcomes
        if path.parent.name in CELL_LABELS and answer["status"] == "classified"
    ]
    if not named:
        return None
    sure = [(truth, suggestion) for truth, suggestion in named if suggestion != UNIDENTIFIED]
    if not sure:
        return _("Accuracy: the model named none of the %(n)s; all are left Unidentified for a person.") % {
            "n": len(named)
        }
    right = sum(truth == suggestion for truth, suggestion in sure)
    return _(
        "Accuracy: %(percent)s %% right (%(right)s of the %(sure)s that the model named); "
        "%(unsure)s of %(all)s left Unidentified for a person."
    ) % {
        "percent": decimal(100 * right / len(sure)),
        "right": right,
        "sure": len(sure),
        "unsure": len(named) - len(sure),
        "all": len(named),
    }


def _show_logins(people: dict[str, dict[str, str]], url: str, console: Console) -> None:
    title = _("Sign in at %(url)s") % {"url": escape(url)}
    table = Table(_("role"), _("e-mail"), _("password"), title=title, title_justify="left")
    for person in people.values():
        table.add_row(person["role"].replace("_", " "), person["email"], person["password"])
    console.print("", table)
