"""`hematovision keys`: the keys that encrypt patient identifiers and secrets of second factors."""

# What a command needs is imported inside it, as in infra.commands.cli.

import json
import os

import typer

from infra.commands.terminal import console, failures
from infra.language import _, ngettext

app = typer.Typer(
    help=_("Keys that encrypt patient identifiers and second factors (list, new, rotate), or sign models."),
    no_args_is_help=True,
)


@app.command(
    "list",
    help=_("Show the keys, how old they are, and how many rows each of them seals."),
)
def list_keys() -> None:
    from rich.table import Table

    from infra.local.manage import manage, product_environment

    with failures():
        keys = json.loads(manage("list_keys", env=product_environment()))
    table = Table(_("key"), _("age"), _("rows"), "")
    for key in keys:
        if key["current"]:
            state = _("current")
        elif not key["id"]:
            state = _("under no key: `hematovision keys rotate` seals these rows, or names them")
        elif key["days"] is None:
            state = _("missing: these rows cannot be read")
        else:
            state = "" if key["rows"] else _("seals nothing: may be removed")
        table.add_row(key["id"] or _("(none)"), _age(key["days"]), str(key["rows"]), state)
    console.print(table)


@app.command(
    help=_(
        "Make a key and, on one machine, have new values sealed with it from now on; `rotate` does "
        "the rest.\n\n"
        "Elsewhere it is printed, to be put into your secrets."
    ),
)
def new() -> None:
    from infra.local.config.secrets import add_data_key, new_data_key
    from infra.local.config.settings import PREFIX, home_from_environment

    if os.environ.keys() & {f"{PREFIX}DATABASE_URL", f"{PREFIX}DATABASE_URL_FILE"}:
        typer.echo(new_data_key())
        typer.echo(
            _(
                "Put it behind the others in HEMATOVISION_DATA_KEYS, or as the last line of the file "
                "that HEMATOVISION_DATA_KEYS_FILE names; once every program has that, move it to the "
                "front, and run `hematovision keys rotate`."
            ),
            err=True,
        )
        return
    with failures():
        key_id = add_data_key(home_from_environment())
    console.print(
        _("New values are sealed with key %(key_id)s from now on. `hematovision keys rotate` seals the rest.")
        % {"key_id": key_id},
        soft_wrap=True,
    )


@app.command(
    help=_(
        "Make a key that signs model versions, and the public half of it by which model servers know "
        "them.\n\n"
        "For Kubernetes; on one machine and with docker compose both are made at the first start."
    ),
)
def publisher() -> None:
    from secrets import token_hex

    from serving.manifest import Publisher

    key = token_hex(32)
    typer.echo(f"MODEL_KEY={key}\npublisher={Publisher(key).public}")


@app.command(
    help=_(
        "Seal everything anew with the current key, while the product runs. May be interrupted and repeated."
    ),
)
def rotate() -> None:
    from infra.local.manage import become

    with failures():
        become("rotate_keys")


def _age(days: int | None) -> str:
    return "–" if days is None else ngettext("%(n)s day", "%(n)s days", days) % {"n": days}
