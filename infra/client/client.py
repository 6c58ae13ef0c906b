"""A client of the HTTP API: cases, uploads that survive a bad line, and what became of each image."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.client.connection import Connection
from infra.client.errors import ClientError
from infra.client.limits import POLL_S
from infra.client.upload import Upload, Uploaded
from infra.language import _


@dataclass(frozen=True)
class Case:
    """A case as the API describes it."""

    id: str
    accession: str
    progress: dict[str, Any]
    differential: dict[str, Any] | None = None
    model_notice: str | None = None

    @classmethod
    def of(cls, answer: dict[str, Any]) -> "Case":
        return cls(
            answer["id"],
            answer["accession"],
            answer["progress"],
            answer.get("differential"),
            answer.get("model_notice"),
        )

    @property
    def finished(self) -> bool:
        """Whether nothing handed over still waits for the model."""
        return not self.progress["received"]


def _ignore(_done: object) -> None:
    pass


class Client:
    """Speaks to one server on behalf of one API token. Use as a context manager.

    Args:
        ca: certificates, PEM, of those who may have signed the server's, beside those this machine trusts.
    """

    def __init__(self, url: str, token: str | None = None, *, ca: Path | None = None) -> None:
        self.connection = Connection(url, token, ca)
        self.url = self.connection.url

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.connection.close()

    def sign_in(self, email: str, password: str, code: str = "") -> str:
        """Exchange a password, and the code of a second factor where there is one, for an API token.

        Raises:
            CodeNeededError: the account has a second factor, and no code was given.
            SignInError: the server does not accept them.
        """
        given = {"email": email, "password": password, **({"code": code} if code else {})}
        with self.connection.understood():
            return str(self.connection.call("POST", "tokens/", json=given)["token"])

    def case(self, case_id: str) -> Case:
        """The case with its differential so far."""
        with self.connection.understood():
            return Case.of(self.connection.call("GET", f"cases/{case_id}/"))

    def open_case(self, accession: str) -> Case:
        """The lab's case of this accession number, opened now if there is none."""
        named = {"accession": accession}
        with self.connection.understood():
            found = self.connection.call("GET", "cases/", params=named)["results"]
            return Case.of(found[0] if found else self.connection.call("POST", "cases/", json=named))

    def find_case(self, accession: str) -> Case:
        """The lab's case of this accession number, with its differential so far.

        Raises:
            ClientError: there is none.
        """
        with self.connection.understood():
            found = self.connection.call("GET", "cases/", params={"accession": accession})["results"]
            if found:
                return Case.of(self.connection.call("GET", f"cases/{found[0]['id']}/"))
        raise ClientError(_("The lab has no case %(accession)s.") % {"accession": accession})

    def classes(self) -> list[dict[str, Any]]:
        """What the lab's people may say of a cell."""
        with self.connection.understood():
            return list(self.connection.call("GET", "lab/classes/"))

    def first_reading(self, case_id: str) -> dict[str, Any] | None:
        """The case's first reading with both differentials; None: nobody has opened it."""
        with self.connection.understood():
            readings = self.connection.call("GET", f"cases/{case_id}/readings/")
            first = [one["id"] for one in readings if one["kind"] == "first"]
            return dict(self.connection.call("GET", f"readings/{first[0]}/")) if first else None

    def results(self, case_id: str) -> list[dict[str, Any]]:
        """All versions of the case's result, the last first."""
        with self.connection.understood():
            return list(self.connection.call("GET", f"cases/{case_id}/results/"))

    def result(self, case_id: str) -> dict[str, Any]:
        """The last version of the case's result, with what was signed."""
        with self.connection.understood():
            return dict(self.connection.call("GET", f"cases/{case_id}/result/"))

    def open_first_reading(self, case_id: str) -> dict[str, Any]:
        """The case's first reading, opened now if there is none."""
        with self.connection.understood():
            return dict(self.connection.call("POST", f"cases/{case_id}/readings/", json={"kind": "first"}))

    def decided(self, reading: Mapping[str, Any]) -> dict[int, tuple[str, str]]:
        """Of each cell that was decided, the class and who decided it."""
        if not reading["revision"]:
            return {}
        with self.connection.understood():
            path = f"readings/{reading['id']}/changes/"
            answer = self.connection.call("GET", path, params={"since": 0})
            return {
                one["cell"]: (one["class"], answer["people"].get(str(one["by"]), ""))
                for one in answer["changes"]
                if one["class"] is not None  # it was taken back
            }

    def decide(self, reading_id: int, gesture: dict[str, Any]) -> dict[str, Any]:
        """Send a gesture; what came of it. Sent again, it is done once."""
        with self.connection.understood():
            return dict(self.connection.call("POST", f"readings/{reading_id}/decisions/", json=gesture))

    def images(self, case_id: str, **filters: str) -> Iterator[dict[str, Any]]:
        """The case's images in the order of upload; `status` and `cell_class` narrow them."""
        page = f"cases/{case_id}/images/"
        query: Mapping[str, str] | None = {**filters, "page_size": "500"}
        while page:
            with self.connection.understood():
                answer = self.connection.call("GET", page, params=query)
                rows, page, query = list(answer["results"]), answer["next"], None
            yield from rows

    def upload(
        self,
        case: Case,
        files: Sequence[Path],
        done: Callable[[int], None] = _ignore,
        *,
        again: bool = False,
        slide: int | None = None,
        replaces: int | None = None,
    ) -> Uploaded:
        """Upload files straight to the object store and hand them over to be classified.

        May be repeated, after an interruption or for the whole: a file is what its bytes are, and what the
        case has is not sent again.

        Args:
            done: called with the number of files dealt with since its last call.
            again: send also what was refused before, to have it judged once more.
            slide: id of that which the images are of.
            replaces: id of the refused or failed image in whose place the one file is given.

        Raises:
            ClientError: the server cannot be reached, or takes none of it.
        """
        upload = Upload(self.connection, case.id, again=again, slide=slide, replaces=replaces)
        return upload.run(files, done)

    def outstanding(self, case: Case) -> list[dict[str, Any]]:
        """The case's files that were refused or failed, and that nothing was given for."""
        return [
            image
            for status in ("refused", "failed")
            for image in self.images(case.id, status=status)
            if image["replaced_by"] is None and image["reason"]["code"] != "duplicate"
        ]

    def set_priority(self, case: Case, priority: str) -> None:
        """Say how soon the case's result is needed: routine, urgent or stat."""
        with self.connection.understood():
            self.connection.call("PATCH", f"cases/{case.id}/", json={"priority": priority})

    def slides(self, case: Case) -> dict[str, int]:
        """The case's slides: id by label."""
        with self.connection.understood():
            found = self.connection.call("GET", f"cases/{case.id}/slides/")
            return {slide["label"]: slide["id"] for slide in found}

    def wait(self, case_id: str, progress: Callable[[Case], None] = _ignore) -> Case:
        """Wait until nothing in the case waits for the model; `progress` is called while it does."""
        while True:
            case = self.case(case_id)
            progress(case)
            if case.finished:
                return case
            time.sleep(POLL_S)
