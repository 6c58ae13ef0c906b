"""Parts of objects, many at once: neighbours are read together, and reads go on side by side."""

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
    runs = list(_runs(parts))
    found: dict[Part, bytes | None] = {}
    for run, body in zip(runs, _readers().map(in_threads(_read), runs), strict=True):
        begin = run[0].offset
        for part in run:
            found[part] = None if body is None else body[part.offset - begin : part.end - begin]
    return [found[part] for part in parts]


def _runs(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """The parts of each object in groups of neighbours."""
    in_order = sorted(set(parts), key=attrgetter("key", "offset", "length"))
    for _, of_one in groupby(in_order, attrgetter("key")):
        run: list[Part] = []
        end = 0
        for part in of_one:
            if run and part.offset > end + GAP:
                yield run
                run = []
            end = part.end if not run else max(end, part.end)
            run.append(part)
        yield run


def _read(run: Sequence[Part]) -> bytes | None:
    begin = run[0].offset
    try:
        return objects.get_range(run[0].key, begin, max(part.end for part in run) - begin)
    except objects.ObjectMissing:
        return None


@cache
def _readers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="range")
