"""What jobs there are. An app registers its kinds in a module `job_kinds` of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.functional import Promise

from webapp.jobs.models import Job
from webapp.labs.permissions import Permission


@dataclass(frozen=True)
class Piece:
    """What one call of a kind did.

    Attributes:
        data: the next bytes of the result, some JOB_PIECE_BYTES.
        done, total: how far the job is, in whatever it counts.
        cursor: where the next piece begins (JSON); None: this was the last.
    """

    data: bytes
    done: int
    total: int
    cursor: Any = None


Run = Callable[[Job], Piece]


@dataclass(frozen=True)
class Kind:
    """One kind of job.

    Attributes:
        needs: the permission of whoever starts one and fetches its result.
        run: does one piece, from `job.cursor` on, in seconds. It may be called again with the same cursor.
        takes: names of parameters.
        check: what the values of these must be, of a form or as JSON has them; raises ValueError, or returns
            them as they are kept.
        started: puts on record, in the transaction that makes the job, that somebody asked.
        said: what jobs of one lab were asked for, in words, by their ids: what each parameter is called, and
            its value.
    """

    name: str
    label: "str | Promise"
    needs: Permission
    media_type: str
    file_name: str
    run: Run
    takes: tuple[str, ...]
    check: Callable[[Mapping[str, Any]], dict[str, Any]]
    started: Callable[[Job], None]
    said: Callable[[Sequence[Job]], dict[UUID, list[tuple[str, str]]]] = lambda _jobs: {}


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    KINDS[kind.name] = kind
