"""`hematovision`: the command line of the product."""

# What a command needs is imported inside it: `hematovision --help` answers at once.

import typer

from infra.commands import audit, backup, demo, erase, keys, login, model, stack, upload
from infra.commands.terminal import print_anything

app = typer.Typer(
    help="HematoVision: blood-cell images in, a differential count out. Not for diagnosis.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(model.app, name="model")
app.add_typer(keys.app, name="keys")
app.command()(backup.backup)
app.command()(backup.restore)
app.command()(erase.erase)
app.add_typer(audit.app, name="audit")
app.command()(stack.up)
app.command()(stack.down)
app.command()(stack.status)
app.command()(stack.logs)
app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)(stack.manage)
app.command()(login.login)
app.command()(upload.upload)
app.command()(demo.demo)


@app.callback()
def _every_command() -> None:
    print_anything()
