"""The context that log lines and spans share; it goes along with tasks that are enqueued."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import copy_context
from typing import ParamSpec, TypeVar

from structlog.contextvars import bound_contextvars, get_contextvars

from webapp.telemetry import tracing

CARRIED = ("request",)

P = ParamSpec("P")
R = TypeVar("R")


def carried() -> dict[str, str]:
    """The context that a task enqueued now takes along."""
    return {name: value for name, value in get_contextvars().items() if name in CARRIED} | tracing.headers()


@contextmanager
def resumed(context: Mapping[str, str], **more: str) -> Iterator[None]:
    """Log lines and spans inside belong to the context that `carried` returned then."""
    known = {name: context[name] for name in CARRIED if name in context}
    with bound_contextvars(**known, **more), tracing.resumed(context.get(tracing.TRACEPARENT, "")):
        yield


def in_threads(work: Callable[P, R]) -> Callable[P, R]:
    """`work` for other threads, with the context of here and now."""
    here = copy_context()

    def there(*args: P.args, **kwargs: P.kwargs) -> R:
        return here.copy().run(work, *args, **kwargs)  # a copy each: one is entered by one thread at a time

    return there
