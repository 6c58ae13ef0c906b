"""What ties log lines together, and goes along with work that is put off."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from structlog.contextvars import bound_contextvars, get_contextvars

CARRIED = ("request",)


def carried() -> dict[str, str]:
    """What a task that is enqueued now should be known by later."""
    return {name: value for name, value in get_contextvars().items() if name in CARRIED}


@contextmanager
def resumed(context: Mapping[str, str], **more: str) -> Iterator[None]:
    """Log lines inside belong to what `carried` said then."""
    known = {name: context[name] for name in CARRIED if name in context}
    with bound_contextvars(**known, **more):
        yield
