"""`hematovision model`: what model servers answer with, and how it comes about."""

# What a command needs is imported inside it, as in infra.commands.cli.

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.commands.terminal import console, fail, failures
from infra.language import _, pgettext
from infra.language.numbers import decimal

app = typer.Typer(
    help=_("Versions of the model: list, publish, roll back, re-run, retrain, commission."),
    no_args_is_help=True,
)

BELOW_BOUND = 3  # what was learned is not good enough to go live

Lab = Annotated[str | None, typer.Option(help=_("The lab whose own model is meant: its name or id."))]
Labels = Annotated[Path, typer.Option(exists=True, dir_okay=False, help=_("CSV of file and label."))]
Images = Annotated[
    Path, typer.Option(exists=True, file_okay=False, help=_("Folder that the files of --labels are in."))
]
From = Annotated[
    Path | None,
    typer.Option(
        "--from", exists=True, file_okay=False, help=_("Version to start from; default: that in use.")
    ),
]
_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


@app.command(
    "list",
    help=_("Show every model with its versions and what they are worth."),
)
def list_models() -> None:
    from rich.markup import escape
    from rich.table import Table

    with failures():
        models = json.loads(_manage("list_models"))
    states = {"publishing": _("publishing"), "published": _("published"), "withdrawn": _("withdrawn")}
    headings = (
        _("model"),
        _("version"),
        _("state"),
        _("trained"),
        pgettext("share of cells", "right"),
        _("a class from"),
    )
    table = Table(*headings)
    for model in models:
        for version in model["versions"]:
            in_use = version["version"] == model["answers"]
            scores = [f"{of['name']} {_percent(of['accuracy'])}" for of in version["evaluations"]]
            table.add_row(
                escape(_title(model)),
                str(version["version"]),
                _("in use") if in_use else states.get(version["status"], version["status"]),
                (version["trained_at"] or "–")[:10],
                escape("\n".join(scores)) or "–",
                _percent(version["review_threshold"]),
                style="bold" if in_use else "",
            )
    console.print(table)


@app.command(
    help=_(
        "Check a version's folder, register it and give it to the model servers, which soon answer with it."
    ),
)
def publish(
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help=_("A model version's folder."))
    ],
    lab: Lab = None,
    as_next: Annotated[bool, typer.Option("--as-next", help=_("Give it the next free number."))] = False,
) -> None:
    with failures():
        _publish(folder, lab, *(["--as-next"] if as_next else []))


@app.command(
    "rollback",
    help=_(
        "Take the newest version from the model servers: the one before answers again.\n\n"
        "A lab whose last own version goes is served by the base model."
    ),
)
def roll_back(
    lab: Lab = None,
    to: Annotated[
        int | None, typer.Option(min=1, help=_("Withdraw every version newer than this one."))
    ] = None,
) -> None:
    with failures():
        _say("roll_back_model", *_of(lab), *([f"--to={to}"] if to else []))


@app.command(
    help=_(
        "Have the version that is in use say again what the cells of open cases are.\n\n"
        "It is done in the background. What was said before is kept; what people decided stays as it "
        "is."
    ),
)
def rerun(
    case: Annotated[str | None, typer.Option(help=_("The accession number of one case."))] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            metavar=_("DAY"),
            help=_("All open cases made on that day (UTC) or later; as 2026-01-31."),
        ),
    ] = None,
    lab: Annotated[str | None, typer.Option(help=_("Cases of this lab alone: its name or id."))] = None,
) -> None:
    if (case is None) == (since is None):
        fail(_("Say which cases: either --case or --since."))
    which = f"--case={case}" if since is None else f"--since={since:%Y-%m-%d}"
    with failures():
        _say("rerun_model", which, *_of(lab))


@app.command(
    context_settings=_PASSED_ON,
    help=_(
        "Fine-tune the model on reviewed labels among its base data, and publish what comes of it.\n\n"
        "Other options are passed on: `python -m training retrain --help`."
    ),
)
def retrain(
    context: typer.Context,
    labels: Labels,
    images: Images,
    data: Annotated[
        Path, typer.Option(exists=True, file_okay=False, help=_("The images it was trained on at first."))
    ],
    base: From = None,
    lab: Lab = None,
) -> None:
    with failures():
        model = _model(lab)
        given: list[str | Path] = ["--labels", labels, "--images", images, "--data", data, *context.args]
        _learn("retrain", *given, model=model, base=base or _in_use(model), lab=lab)


@app.command(
    context_settings=_PASSED_ON,
    help=_(
        "Fit the base model to a lab's slides from a few labelled cells, and serve the result to that "
        "lab.\n\n"
        "Other options, such as --minimum, are passed on: `python -m training commission --help`. "
        "Exit code 3: the result is not right often enough on cells it has not seen, and nothing was "
        "published."
    ),
)
def commission(
    context: typer.Context,
    lab: Annotated[str, typer.Option(help=_("The lab: its name or id."))],
    labels: Labels,
    images: Images,
    report: Annotated[
        Path | None, typer.Option(help=_("Folder for the report; default: in that of all state."))
    ] = None,
    base: From = None,
) -> None:
    from infra.local.config.settings import home_from_environment

    with failures():
        model = _model(lab)
        report = report or home_from_environment() / "reports"
        given: list[str | Path] = ["--labels", labels, "--images", images, "--report", report, *context.args]
        _learn("commission", *given, model=model, base=base or _in_use(_model(None)), lab=lab)


def _learn(command: str, *arguments: str | Path, model: dict[str, Any], base: Path, lab: str | None) -> None:
    """Have `python -m training` make the model's next version from `base`, and publish it."""
    import shlex
    import shutil

    from infra.commands.training import BelowBound, run
    from infra.local.config.settings import home_from_environment

    home = home_from_environment() / "training"
    target = home / "made" / model["name"] / str(model["next"])
    by_hand = shlex.join(["hematovision", "model", "publish", str(target), *_of(lab)])
    if target.exists():
        fail(
            _("%(target)s was made earlier and not published. Publish it with `%(by_hand)s`, or remove it.")
            % {"target": target, "by_hand": by_hand}
        )
    try:
        run(command, "--from", base, "--to", target, "--runs", home / "runs", *arguments)
    except BelowBound:
        fail(_("Nothing was published."), BELOW_BOUND)
    try:
        _publish(target, lab)
    except BaseException:
        said = _("The new version is in %(target)s. To publish it: %(by_hand)s") % {
            "target": target,
            "by_hand": by_hand,
        }
        console.print(said, soft_wrap=True, markup=False)
        raise
    shutil.rmtree(target)


def _publish(folder: Path, lab: str | None, *options: str) -> None:
    _say("publish_model", str(folder.resolve()), *_of(lab), *options)


def _model(lab: str | None) -> dict[str, Any]:
    """The base model as `list_models` describes it, or a lab's own."""
    model: dict[str, Any] = json.loads(_manage("list_models", *_of(lab)))[1 if lab else 0]
    return model


def _in_use(model: dict[str, Any]) -> Path:
    if model["folder"] is None:
        fail(
            _("No version of %(model)s is published to start from. Name one with --from.")
            % {"model": _title(model)}
        )
    return Path(model["folder"])


def _of(lab: str | None) -> list[str]:
    return [f"--lab={lab}"] if lab else []


def _title(model: dict[str, Any]) -> str:
    return _("%(lab)s’s own") % {"lab": model["lab"]} if model["lab"] else str(model["name"])


def _percent(share: float) -> str:
    return _("%(number)s %%") % {"number": decimal(100 * share)}


def _say(*arguments: str) -> None:
    console.print(_manage(*arguments).strip(), soft_wrap=True, markup=False)


def _manage(*arguments: str) -> str:
    from infra.local.manage import manage, product_environment

    return manage(*arguments, env=product_environment())
