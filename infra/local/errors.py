"""What can go wrong with the stack, in sentences a person can act on."""

from pathlib import Path

from infra.language import _


class StackError(Exception):
    """The stack cannot do what was asked; the message says why and what to do next."""


class NotRunningError(StackError):
    def __init__(self, home: Path) -> None:
        super().__init__(
            _("HematoVision is not running in %(home)s. Start it with `make up`.") % {"home": home}
        )


class AlreadyRunningError(StackError):
    def __init__(self, url: str, pid: int) -> None:
        super().__init__(
            _("HematoVision is already running at %(url)s (process %(pid)s). `make down` stops it.")
            % {"url": url, "pid": pid}
        )
