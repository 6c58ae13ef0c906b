"""`hematovision`: the command line of the product."""

# What a command needs is imported inside it: `hematovision --help` answers at once.

import typer

from infra.commands import audit, backup, demo, erase, keys, login, model, result, review, stack, upload
from infra.commands.terminal import print_anything
from infra.language import _

app = typer.Typer(
    help=_("HematoVision: blood-cell images in, a differential count out. Not for diagnosis."),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(model.app, name="model")
app.add_typer(keys.app, name="keys")
app.command(
    help=_(
        "Copy database, pictures, models and keys into a folder, while the product runs.\n\n"
        "Pictures that an older backup in the folder has are not copied again. Keys and secrets are "
        "encrypted under the passphrase; all else, pictures and the names of staff among it, lies "
        "there in the clear: keep the folder as safe as the installation."
    )
)(backup.backup)
app.command(
    help=_(
        "Bring an installation back from a backup: the latest in the folder, or the snapshot that is "
        "named.\n\n"
        "On one machine HematoVision must not be running; what is there is left alone, or with "
        "--force moved aside, not deleted. Elsewhere services and secrets must be there already, and "
        "the database empty.\n\n"
        "Every byte is verified before anything is written: that it is what was backed up, and that "
        "this installation, by its data keys, made it."
    )
)(backup.restore)
app.command(
    help=_(
        "Make unreadable for good who a patient is and all that was written of them; cases and counts stay."
    )
)(erase.erase)
app.add_typer(audit.app, name="audit")
app.command(help=_("Start everything on this machine and stay in the foreground; Ctrl-C stops it."))(stack.up)
app.command(help=_("Stop what `up` started."))(stack.down)
app.command(help=_("Show how each program does."))(stack.status)
app.command(help=_("Print the end of a program's log."))(stack.logs)
app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    help=_("Run a Django management command beside the running product: `hematovision manage create_lab …`."),
)(stack.manage)
app.command(
    help=_(
        "Sign in to a server once; later commands use the token that is kept for it.\n\n"
        "Where the account has a second factor, its code is asked for."
    )
)(login.login)
app.command(
    help=_(
        "Upload a folder of cell images to a case. Repeat it after an interruption: nothing is "
        "counted twice.\n\n"
        "A file is what its bytes are, whatever it is called. Each that is not counted is named with "
        "the reason.\n\n"
        "Exit codes: 0 every file that may be a picture is classified (with --no-wait: handed over) "
        "or was refused before; 1 some are not, or could not be read; 2 the server could not be "
        "reached or denied it, or there is no image; 130 interrupted."
    )
)(upload.upload)
app.command(
    help=_(
        "Show the two differentials of a case, or decide of what class its cells are, by a list of "
        "labels.\n\n"
        "The list is a CSV of file and class (its code, name or short name), with or without a heading. "
        "Each line that cannot be decided is named with the reason. What somebody decided otherwise stays "
        "as it is. Repeat it after an interruption: nothing is decided twice.\n\n"
        "Exit codes: 0 every line is decided (with --dry-run: can be); 1 some are not; 2 the server could "
        "not be reached or denied it, or the list cannot be read; 130 interrupted."
    )
)(review.review)
app.command(
    help=_(
        "Show the versions of a case's signed result: who signed each, when, and its SHA-256. Signing is "
        "done on the page, whose address is given: it asks who is there.\n\n"
        "Exit codes: 0 it is signed; 1 it is not, or was altered; 2 the server could not be reached or "
        "denied it; 130 interrupted."
    )
)(result.result)
app.command(
    help=_(
        "Start everything, classify some images in a demo lab, and show the result.\n\n"
        "Exit code 0 only if every image was classified."
    )
)(demo.demo)


@app.callback()
def _every_command() -> None:
    print_anything()
