"""What the supervisor needs to know of one program."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from infra.local.limits import PROGRAM_STOP_S
from infra.local.programs.os_account import Account

Group = Literal["services", "product", "aside"]
"""In the order in which they start: what stores and computes, our own programs, and what can wait."""


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Program:
    """One supervised program.

    Attributes:
        argv: the command.
        group: groups start in order, and stop in the opposite one.
        env: variables added to those the stack was started with.
        stop_signal: what asks it to end.
        stop_seconds: how long it may take to end before it is killed.
        account: who runs it, where that is not whoever started the stack.
        prepare: what must be done before it starts (write its configuration, make its data folder).
    """

    name: str
    argv: tuple[str, ...]
    group: Group
    env: Mapping[str, str] = field(default_factory=dict)
    stop_signal: Literal["TERM", "INT"] = "TERM"
    stop_seconds: int = PROGRAM_STOP_S
    account: Account | None = None
    prepare: Callable[[], None] = _nothing
