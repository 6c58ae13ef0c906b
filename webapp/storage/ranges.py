"""Parts of objects, many at once: neighbours are read together, and reads go on side by side.

From a store that cannot give parts (`objects.get_range`) each object is read once, as a whole.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import attrgetter

from webapp.storage import objects
from webapp.telemetry.context import in_threads

THREADS = 16
GAP = 64 * 1024  # bytes: to read so many in vain costs less than another request


@dataclass(frozen=True)
class Part:
    """Some bytes of an object."""

    key: str
    offset: int
    length: int

    @property
    def end(self) -> int:
        return self.offset + self.length


def read(parts: Sequence[Part]) -> list[bytes | None]:
    """The bytes of each of `parts`, in their order; None where there is no such object."""
    in_order = sorted(set(parts), key=attrgetter("key", "offset", "length"))
    by_object = [list(of_one) for _, of_one in groupby(in_order, attrgetter("key"))]
    found: dict[Part, bytes | None] = {}
    for of_one in _readers().map(in_threads(_read), by_object):
        found.update(of_one)
    return [found[part] for part in parts]


def _read(parts: Sequence[Part]) -> dict[Part, bytes | None]:
    """Parts of one object, in the order of their offsets."""
    try:
        try:
            return {part: body for run in _runs(parts) for part, body in _read_run(run)}
        except objects.PartsUnavailable:
            return dict(_cut(objects.get(parts[0].key)[0], parts))
    except objects.ObjectMissing:
        return dict.fromkeys(parts)


def _runs(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Groups of neighbours."""
    run: list[Part] = []
    end = 0
    for part in parts:
        if run and part.offset > end + GAP:
            yield run
            run = []
        end = part.end if not run else max(end, part.end)
        run.append(part)
    yield run


def _read_run(run: Sequence[Part]) -> Iterator[tuple[Part, bytes]]:
    begin = run[0].offset
    body = objects.get_range(run[0].key, begin, max(part.end for part in run) - begin)
    return _cut(body, run, begin)


def _cut(body: bytes, parts: Sequence[Part], begin: int = 0) -> Iterator[tuple[Part, bytes]]:
    """The parts out of a body that begins at `begin` of the object: not all of it stays in memory."""
    for part in parts:
        found = body[part.offset - begin : part.end - begin]
        if len(found) != part.length:
            raise objects.ObjectTooShort(part.key)
        yield part, found


@cache
def _readers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="range")
