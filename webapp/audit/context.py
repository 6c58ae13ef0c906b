"""Who acts now and from where: what a request, a task or a command says once, and every entry tells."""

import getpass
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from webapp.audit.words import NOT_SIGNED_IN


@dataclass(frozen=True)
class Actor:
    """Who does something.

    Attributes:
        id: of the person; None for the product itself, for commands, and for those who have not signed in.
        name: as it is now; people are renamed, the trail is not.
        token: the prefix of the API token that acts for them.
    """

    id: int | None
    name: str
    token: str = ""


@dataclass(frozen=True)
class Origin:
    """Where a request comes from."""

    address: str = ""
    user_agent: str = ""


PRODUCT = Actor(None, "HematoVision")
NOBODY = Actor(None, NOT_SIGNED_IN)

NOWHERE = Origin()

_actor: ContextVar[Callable[[], Actor]] = ContextVar("audit_actor", default=lambda: PRODUCT)
_origin: ContextVar[Origin] = ContextVar("audit_origin", default=NOWHERE)


def current_actor() -> Actor:
    return _actor.get()()


def current_origin() -> Origin:
    return _origin.get()


@contextmanager
def acting(actor: Actor | Callable[[], Actor], *, origin: Origin | None = None) -> Iterator[None]:
    """Whatever is recorded inside was done by `actor`; a function is asked only when something is."""
    who = _actor.set(actor if callable(actor) else lambda: actor)
    whence = _origin.set(origin or _origin.get())
    try:
        yield
    finally:
        _origin.reset(whence)
        _actor.reset(who)


def operator() -> str:
    """The account of the operating system that a command runs under."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in many containers
        return f"user {os.geteuid()}"
