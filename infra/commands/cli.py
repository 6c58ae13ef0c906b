"""`hematovision`: the command line of the product."""

# What a command needs is imported inside it: `hematovision --help` answers at once.

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands import audit, backup, keys, model
from infra.commands.terminal import console, fail, failures, print_anything

if TYPE_CHECKING:
    from infra.local.config.settings import Settings

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
app.add_typer(audit.app, name="audit")

NOT_EVERYTHING = 1  # it worked, but some images were not classified, or may be missing
NOT_RUNNING = 3

Url = Annotated[
    str | None,
    typer.Option(
        envvar="HEMATOVISION_URL", help="Address of the server; without it, the one on this machine."
    ),
]
Ca = Annotated[
    Path | None,
    typer.Option(
        envvar="HEMATOVISION_CA",
        exists=True,
        dir_okay=False,
        help="Certificate of an authority of your own that signed the server's, PEM.",
    ),
]


@app.callback()
def _every_command() -> None:
    print_anything()


@app.command()
def up() -> None:
    """Start everything on this machine and stay in the foreground; Ctrl-C stops it."""
    from infra.local.config.settings import Settings
    from infra.local.errors import AlreadyRunningError
    from infra.local.foreground import hold, running
    from infra.local.stack import Stack

    with failures():
        settings = Settings.from_environment()
        stack = Stack(settings, report=_say)
        try:
            with running(stack):
                console.print(f"\nHematoVision is ready at [bold]{settings.url}[/]")
                console.print(
                    f"{_whom_to_trust(settings)}{_where(settings)}\nCtrl-C stops it.", soft_wrap=True
                )
                hold(stack)
        except AlreadyRunningError as error:
            console.print(str(error), soft_wrap=True)
        except KeyboardInterrupt:
            console.print("HematoVision has stopped.")


@app.command()
def down() -> None:
    """Stop what `up` started."""
    from infra.local.config.settings import home_from_environment
    from infra.local.errors import NotRunningError
    from infra.local.stack import stop_running

    with failures():
        try:
            stop_running(home_from_environment())
            console.print("HematoVision has stopped.")
        except NotRunningError:
            console.print("HematoVision is not running.")


@app.command()
def status() -> None:
    """Show how each program does."""
    from rich.table import Table

    from infra.local.config.settings import Settings, home_from_environment
    from infra.local.errors import NotRunningError
    from infra.local.stack import states

    with failures():
        try:
            home = home_from_environment()
            table = Table("program", "state", "")
            for state in states(home):
                style = "" if state.state == "RUNNING" else "bold red"
                table.add_row(state.name, state.state.lower(), state.description, style=style)
        except NotRunningError as error:
            console.print(str(error))
            raise typer.Exit(NOT_RUNNING) from None
        settings = Settings.of_running(home)
        console.print(table)
        console.print(f"{settings.url}\n{_whom_to_trust(settings)}{_where(settings)}", soft_wrap=True)


@app.command()
def logs(
    program: Annotated[str, typer.Argument(help="A name that `status` shows.")], lines: int = 50
) -> None:
    """Print the end of a program's log."""
    from infra.local.config.settings import home_from_environment

    folder = home_from_environment() / "log"
    log = folder / f"{program}.log"
    if log.parent != folder or not log.is_file():
        names = ", ".join(sorted(path.stem for path in folder.glob("*.log"))) or "none yet"
        fail(f"There is no log of {program!r}. There are: {names}.")
    for line in log.read_text(errors="replace").splitlines()[-lines:]:
        typer.echo(line)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)
def manage(context: typer.Context) -> None:
    """Run a Django management command beside the running product: `hematovision manage create_lab …`."""
    from infra.local.manage import become

    with failures():
        become(*context.args)


@app.command()
def login(
    email: Annotated[str, typer.Option(prompt=True)],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, envvar="HEMATOVISION_PASSWORD")],
    url: Url = None,
    ca: Ca = None,
) -> None:
    """Sign in to a server once; later commands use the token that is kept for it.

    Where the account has a second factor, its code is asked for.
    """
    from infra.client import credentials
    from infra.client.client import Client, CodeNeededError

    with failures():
        server = _server(url)
        with Client(server, ca=ca or _authority(server)) as client:
            try:
                token = client.sign_in(email, password)
            except CodeNeededError:
                token = client.sign_in(email, password, typer.prompt("Code of your authenticator app"))
        path = credentials.save(client.url, token)
        console.print(
            f"Signed in to {client.url}. The token is kept in {path}.", markup=False, soft_wrap=True
        )


@app.command()
def upload(
    folder: Annotated[Path, typer.Argument(exists=True, help="A folder of images, or one image.")],
    case: Annotated[str, typer.Option(help="Accession number; a new one opens a case.")],
    url: Url = None,
    ca: Ca = None,
    token: Annotated[str | None, typer.Option(envvar="HEMATOVISION_TOKEN", help="Or `login` first.")] = None,
    wait: Annotated[bool, typer.Option(help="Wait for the result and show it.")] = True,
    again: Annotated[
        bool, typer.Option("--again", help="Send also what was refused before, to be judged once more.")
    ] = False,
) -> None:
    """Upload a folder of cell images to a case. Repeat it after an interruption: nothing is counted twice.

    A file is what its bytes are, whatever it is called. Each that is not counted is named with the reason.

    Exit codes: 0 every file that may be a picture is classified (with --no-wait: handed over) or was refused
    before; 1 some are not, or could not be read; 2 the server could not be reached or refused, or there is no
    image; 130 interrupted.
    """
    from infra.client import credentials, report
    from infra.client.client import Client, SignInError, Uploaded
    from infra.client.files import as_text, gather, shown

    given = gather(folder)
    with failures():
        if not given.files:
            if given.left_out:
                report.Account.of(folder, given, Uploaded(), []).print(console)
            fail(f"There is no image in {shown(folder)}.")
        server = _server(url)
        with Client(server, token or credentials.load(server), ca=ca or _authority(server)) as client:
            try:
                opened = client.open_case(as_text(case))
            except SignInError as error:
                fail(f"{error} Sign in with `hematovision login --url {server}`, or give --token.")
            uploaded = report.upload(client, opened, given.files, console, again=again)
            judged: list[dict[str, Any]] = []
            if wait:
                finished = report.wait(client, client.case(opened.id), console)
                for status in ("refused", "failed"):
                    judged += client.images(opened.id, status=status)
                console.print(report.differential(finished))
            account = report.Account.of(folder, given, uploaded, judged)
            account.print(console)
            console.print(f"{client.url}/cases/{opened.id}/", soft_wrap=True, markup=False)
    raise typer.Exit(0 if account.is_whole else NOT_EVERYTHING)


@app.command()
def demo(
    images: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Use these images.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Stop afterwards instead of serving.")] = False,
) -> None:
    """Start everything, classify some images in a demo lab, and show the result.

    Exit code 0 only if every image was classified.
    """
    from infra.demo.run import run

    with failures():
        complete = run(images, keep_serving=not once, console=console)
    raise typer.Exit(0 if complete else NOT_EVERYTHING)


def _server(url: str | None) -> str:
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


def _say(message: str) -> None:
    console.print(f"  {message}")


def _authority(url: str) -> Path | None:
    """Certificate of the authority of this machine's own product, where that is what is at `url`."""
    from infra.local.config.settings import Settings, home_from_environment
    from infra.local.errors import NotRunningError

    try:
        settings = Settings.of_running(home_from_environment())
    except NotRunningError:
        return None
    ours = {settings.address(name) for name in settings.names}
    return settings.authority if url.rstrip("/") in ours else None


def _whom_to_trust(settings: "Settings") -> str:
    if settings.authority is None:
        return ""
    return (
        "Its certificate is signed by this machine's own authority: have browsers trust "
        f"{settings.authority}, and the command line on other machines (`--ca`).\n"
    )


def _where(settings: "Settings") -> str:
    flower = f"http://127.0.0.1:{settings.port('flower')}"
    return (
        f"State and logs are in {settings.home}; queues at {flower} (password in secrets.json). "
        f"Messages to people lie in {settings.mail}. "
        f"Figures for Prometheus: {settings.prometheus} says where."
    )
