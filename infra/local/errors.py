"""What can go wrong with the stack, in sentences a person can act on."""

from pathlib import Path


class StackError(Exception):
    """The stack cannot do what was asked; the message says why and what to do next."""


class NotRunningError(StackError):
    def __init__(self, home: Path) -> None:
        super().__init__(f"HematoVision is not running in {home}. Start it with `make up`.")


class AlreadyRunningError(StackError):
    def __init__(self, url: str, pid: int) -> None:
        super().__init__(f"HematoVision is already running at {url} (process {pid}). `make down` stops it.")
