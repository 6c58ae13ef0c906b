"""Files sent straight to the object store and handed over to be classified; none that the case has."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import httpx

from infra.client.connection import Connection
from infra.client.errors import ClientError
from infra.client.files import Description, Unusable, content, describe, name_of
from infra.client.limits import CONCURRENCY, GROUP, MANY
from infra.language import _

T = TypeVar("T")


@dataclass(frozen=True)
class Already:
    """What the case had of a file's bytes: a row, perhaps under another name, and what became of it."""

    name: str
    status: str
    reason: str | None = None


@dataclass
class Uploaded:
    """What came of each file of an upload: every one has an id, or a reason in `unsent`.

    Attributes:
        ids: image id of each file that the server has a row for; files of the same bytes share one.
        already: files whose bytes the case had before.
        same_as: files with the same bytes as another of this upload, with that other.
        refused: files that the server refused outright, with the reason.
        unsent: files whose bytes could not be read or sent, with the reason.
    """

    ids: dict[Path, int] = field(default_factory=dict)
    already: dict[Path, Already] = field(default_factory=dict)
    same_as: dict[Path, Path] = field(default_factory=dict)
    refused: dict[Path, str] = field(default_factory=dict)
    unsent: dict[Path, str] = field(default_factory=dict)

    @property
    def sent(self) -> list[Path]:
        """The files whose bytes arrived and were handed over."""
        others = self.already.keys() | self.same_as.keys() | self.refused.keys() | self.unsent.keys()
        return [path for path in self.ids if path not in others]


class Upload:
    """One upload to a case.

    Args:
        again: send also what was refused before, to have it judged once more.
        slide: id of that which the images are of.
        replaces: id of the refused or failed image in whose place the one file is given.
    """

    def __init__(
        self,
        connection: Connection,
        case_id: str,
        *,
        again: bool,
        slide: int | None = None,
        replaces: int | None = None,
    ) -> None:
        self._connection = connection
        self._uploads = f"cases/{case_id}/uploads/"
        self._again, self._slide, self._replaces = again, slide, replaces
        self._result = Uploaded()
        self._first: dict[str, Path] = {}  # file by digest
        self._pool = ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="upload")

    def run(self, files: Sequence[Path], done: Callable[[int], None]) -> Uploaded:
        """Send the files; `done` is called with the number dealt with since its last call.

        Raises:
            ClientError: the server cannot be reached, or takes none of it.
        """
        result = self._result
        self._connection.stop.clear()
        try:
            for group in _groups(sorted(files), GROUP):
                self._send_group(self._describe(group), bulk=len(files) >= MANY)
                done(len(group))
        except BaseException:
            self._connection.stop.set()  # else nothing would end before what is under way has arrived
            raise
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)
        for path, other in result.same_as.items():
            if other in result.ids:
                result.ids[path] = result.ids[other]
        return result

    def _describe(self, group: Sequence[Path]) -> dict[Path, Description]:
        """Read a group of files through; those that no earlier file was the same as."""
        reading = {path: self._pool.submit(describe, path) for path in group}
        described = {}
        for path, read in reading.items():
            try:
                description = read.result()
            except Unusable as error:
                self._result.unsent[path] = str(error)
                continue
            other = self._first.setdefault(description.sha256, path)
            if other == path:
                described[path] = description
            else:
                self._result.same_as[path] = other
        return described

    def _send_group(self, described: dict[Path, Description], *, bulk: bool) -> None:
        """Ask for forms for a group of files, send their bytes, and hand over those that arrived."""
        if not described:
            return
        result = self._result
        asked = [
            {"name": name_of(path), "size": file.size, "sha256": file.sha256, "replaces": self._replaces}
            for path, file in described.items()
        ]
        with self._connection.understood():
            body = {"files": asked, "again": self._again, "slide": self._slide}
            rows = self._connection.call("POST", self._uploads, json=body)["uploads"]
            forms = dict(zip(described, rows, strict=True))
            result.ids.update({path: row["id"] for path, row in forms.items()})
            for path, row in forms.items():
                if row["refused"]:
                    result.refused[path] = row["refused"]["message"]
                elif not row["url"]:
                    had = row["already"]
                    why = had["reason"] and had["reason"]["message"]
                    result.already[path] = Already(had["name"], had["status"], why)
            sending = {
                path: self._pool.submit(self._send, path, described[path], row)
                for path, row in forms.items()
                if row["url"]
            }
        for path, sent in sending.items():
            if (error := sent.exception()) is None:
                continue
            if not isinstance(error, Unusable | ClientError):
                raise error
            result.unsent[path] = str(error)
            del result.ids[path]
        arrived = [result.ids[path] for path in sending if path in result.ids]
        if arrived:
            self._connection.call("POST", f"{self._uploads}complete/", json={"ids": arrived, "bulk": bulk})

    def _send(self, path: Path, described: Description, form: dict[str, Any]) -> None:
        """Post a file's bytes to the store.

        Raises:
            Unusable: the file cannot be read any more, or has changed.
            ClientError: the store does not take it.
        """
        data = content(path, described)
        response = self._connection.post_to_store(form["url"], form["fields"], data)
        if response.status_code == httpx.codes.FORBIDDEN:  # the form has expired on a slow line
            with self._connection.understood():
                renewed = self._connection.call("POST", f"{self._uploads}renew/", json={"ids": [form["id"]]})
                (form,) = renewed["uploads"]
            if not form["url"]:
                return  # somebody else sent these bytes meanwhile
            response = self._connection.post_to_store(form["url"], form["fields"], data)
        if not response.is_success:
            raise ClientError(
                _("The object store answers %(status)s: %(answer)s")
                % {"status": response.status_code, "answer": response.text[:200]}
            )


def _groups(items: Sequence[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while group := list(islice(iterator, size)):
        yield group
