"""`hematovision up`, `down`, `status`, `logs` and `manage`: the one-machine stack."""

# What a command needs is imported inside it, as in infra.commands.cli.

from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.terminal import console, fail, failures
from infra.language import _

if TYPE_CHECKING:
    from infra.local.config.settings import Settings

NOT_RUNNING = 3


def up() -> None:
    from infra.local.config.settings import Settings
    from infra.local.errors import AlreadyRunningError
    from infra.local.foreground import hold, running
    from infra.local.stack import Stack

    with failures():
        settings = Settings.from_environment()
        stack = Stack(settings, report=_say)
        try:
            with running(stack):
                console.print("\n" + _("HematoVision is ready at [bold]%(url)s[/]") % {"url": settings.url})
                console.print(
                    f"{_whom_to_trust(settings)}{_where(settings)}\n{_('Ctrl-C stops it.')}", soft_wrap=True
                )
                hold(stack)
        except AlreadyRunningError as error:
            console.print(str(error), soft_wrap=True)
        except KeyboardInterrupt:
            console.print(_("HematoVision has stopped."))


def down() -> None:
    from infra.local.config.settings import home_from_environment
    from infra.local.errors import NotRunningError
    from infra.local.stack import stop_running

    with failures():
        try:
            stop_running(home_from_environment())
            console.print(_("HematoVision has stopped."))
        except NotRunningError:
            console.print(_("HematoVision is not running."))


def status() -> None:
    from rich.table import Table

    from infra.local.config.settings import Settings, home_from_environment
    from infra.local.errors import NotRunningError
    from infra.local.stack import states

    with failures():
        try:
            home = home_from_environment()
            table = Table(_("program"), _("state"), "")
            for state in states(home):
                well = state.state == "RUNNING"
                table.add_row(
                    state.name, _state(state.state), state.description, style="" if well else "bold red"
                )
        except NotRunningError as error:
            console.print(str(error))
            raise typer.Exit(NOT_RUNNING) from None
        settings = Settings.of_running(home)
        console.print(table)
        console.print(f"{settings.url}\n{_whom_to_trust(settings)}{_where(settings)}", soft_wrap=True)


def logs(
    program: Annotated[str, typer.Argument(help=_("A name that `status` shows."))], lines: int = 50
) -> None:
    from infra.local.config.settings import home_from_environment

    folder = home_from_environment() / "log"
    log = folder / f"{program}.log"
    if log.parent != folder or not log.is_file():
        names = ", ".join(sorted(path.stem for path in folder.glob("*.log"))) or _("none yet")
        fail(
            _("There is no log of %(program)r. There are: %(names)s.") % {"program": program, "names": names}
        )
    for line in log.read_text(errors="replace").splitlines()[-lines:]:
        typer.echo(line)


def manage(context: typer.Context) -> None:
    from infra.local.manage import become

    with failures():
        become(*context.args)


def _say(message: str) -> None:
    console.print(f"  {message}")


def _whom_to_trust(settings: "Settings") -> str:
    if settings.authority is None:
        return ""
    trust = _(
        "Its certificate is signed by this machine's own authority: have browsers trust %(authority)s, "
        "and the command line on other machines (`--ca`)."
    ) % {"authority": settings.authority}
    return f"{trust}\n"


def _where(settings: "Settings") -> str:
    flower = f"http://127.0.0.1:{settings.port('flower')}"
    return _(
        "State and logs are in %(home)s; queues at %(flower)s (password in secrets.json). "
        "Messages to people lie in %(mail)s. Metrics for Prometheus: %(prometheus)s says where."
    ) % {
        "home": settings.home,
        "flower": flower,
        "mail": settings.mail,
        "prometheus": settings.prometheus,
    }


def _state(name: str) -> str:
    """A state of supervisord in the reader's language."""
    states = {
        "STOPPED": _("stopped"),
        "STARTING": _("starting"),
        "RUNNING": _("running"),
        "BACKOFF": _("backoff"),
        "STOPPING": _("stopping"),
        "EXITED": _("exited"),
        "FATAL": _("fatal"),
        "UNKNOWN": _("unknown"),
    }
    return states[name]
