"""A client of the HTTP API: cases, uploads that survive a bad line, and what became of each image."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"})
BATCH = 256  # files for which upload forms are asked at once (the API takes up to 500)
GROUP = 64  # uploads handed over at once: what the model takes in one call
CONCURRENCY = 8  # uploads under way at once
MANY = 100  # from this many files on, they go to the bulk queue

_TRIES = 6
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 15.0
_TIMEOUT = httpx.Timeout(30, connect=5)
_POLL_S = 0.5

T = TypeVar("T")


class ClientError(Exception):
    """The server cannot be reached or does not do what was asked; the message says why."""


class SignInError(ClientError):
    """The token or the password is not accepted."""


class CodeNeededError(SignInError):
    """The password is right; the account asks for the code of a second factor as well."""


_ERRORS = {"second_factor_needed": CodeNeededError}  # by the code the API gives them


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


@dataclass
class Uploaded:
    """What came of an upload.

    Attributes:
        ids: image id of each file the server has a row for, refused ones included.
        skipped: files that the case had already.
        unsent: files whose bytes could not be sent, with the reason.
    """

    ids: dict[Path, int] = field(default_factory=dict)
    skipped: list[Path] = field(default_factory=list)
    unsent: dict[Path, str] = field(default_factory=dict)


def _ignore(_: object) -> None:
    pass


class Client:
    """Speaks to one server on behalf of one API token. Use as a context manager.

    Every request is tried again, with growing pauses, while the server is unreachable or overloaded (no
    connection, 429, 5xx); so a restart of the server in the middle of an upload only delays it.

    Args:
        ca: certificates, PEM, of those who may have signed the server's, beside those this machine trusts.
    """

    def __init__(self, url: str, token: str | None = None, *, ca: Path | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # A site's proxy is not for this machine.
        trust_env = urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1")
        self.url = url.rstrip("/")
        verify = httpx.create_ssl_context(trust_env=trust_env)
        if ca:
            verify.load_verify_locations(ca)
        self._api = httpx.Client(
            base_url=f"{self.url}/api/v1/",
            headers=headers,
            timeout=_TIMEOUT,
            trust_env=trust_env,
            verify=verify,
        )
        # The store gets its own client: our token is not for it.
        limits = httpx.Limits(max_connections=CONCURRENCY)
        self._store = httpx.Client(timeout=_TIMEOUT, trust_env=trust_env, limits=limits, verify=verify)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._api.close()
        self._store.close()

    def sign_in(self, email: str, password: str, code: str = "") -> str:
        """Exchange a password, and the code of a second factor where there is one, for an API token.

        Raises:
            CodeNeededError: the account has a second factor, and no code was given.
            SignInError: the server does not accept them.
        """
        given = {"email": email, "password": password, **({"code": code} if code else {})}
        return str(self._call("POST", "tokens/", json=given)["token"])

    def case(self, case_id: str) -> Case:
        """The case with its differential so far."""
        return Case.of(self._call("GET", f"cases/{case_id}/"))

    def open_case(self, accession: str) -> Case:
        """The lab's case of this accession number, opened now if there is none."""
        found = self._call("GET", "cases/", params={"accession": accession})["results"]
        return Case.of(found[0] if found else self._call("POST", "cases/", json={"accession": accession}))

    def images(self, case_id: str, **filters: str) -> Iterator[dict[str, Any]]:
        """The case's images in the order of upload; `status` and `cell_class` narrow them."""
        page = self._call("GET", f"cases/{case_id}/images/", params={**filters, "page_size": "500"})
        while True:
            yield from page["results"]
            if not page["next"]:
                return
            page = self._call("GET", page["next"])

    def upload(self, case: Case, files: Sequence[Path], done: Callable[[int], None] = _ignore) -> Uploaded:
        """Upload files straight to the object store and hand them over to be classified.

        May be repeated after an interruption: what the case has already is skipped, and the server counts an
        image once even so.

        Args:
            done: called with the number of files dealt with since its last call.

        Raises:
            ClientError: the server cannot be reached, or refuses the whole request.
        """
        described = {path: (_name(path), path.stat().st_size) for path in files}
        present = {(image["name"], image["bytes"]) for image in self.images(case.id) if _is_kept(image)}
        # A name and a size that several files share do not tell which of them is there.
        shared = Counter(described.values())
        result = Uploaded()
        result.skipped = [path for path, file in described.items() if file in present and shared[file] == 1]
        done(len(result.skipped))
        wanted = sorted(described.keys() - set(result.skipped))
        bulk = len(wanted) >= MANY
        with ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="upload") as pool:
            for batch in _groups(wanted, BATCH):
                body = {
                    "files": [
                        {"name": name, "size": size} for name, size in map(described.__getitem__, batch)
                    ]
                }
                forms = self._call("POST", f"cases/{case.id}/uploads/", json=body)["uploads"]
                for group in _groups(list(zip(batch, forms, strict=True)), GROUP):
                    self._send_group(case, group, bulk, pool, result)
                    done(len(group))
        return result

    def wait(self, case_id: str, progress: Callable[[Case], None] = _ignore) -> Case:
        """Wait until nothing in the case waits for the model; `progress` is called while it does."""
        while True:
            case = self.case(case_id)
            progress(case)
            if case.finished:
                return case
            time.sleep(_POLL_S)

    def _send_group(
        self,
        case: Case,
        group: list[tuple[Path, dict[str, Any]]],
        bulk: bool,
        pool: ThreadPoolExecutor,
        result: Uploaded,
    ) -> None:
        """Send the bytes of a group of files, then hand over those that arrived."""
        result.ids.update({path: form["id"] for path, form in group})
        sending = {path: pool.submit(self._send, path, form) for path, form in group if form["url"]}
        result.unsent.update({path: str(e) for path, sent in sending.items() if (e := sent.exception())})
        arrived = [result.ids[path] for path in sending if path not in result.unsent]
        if arrived:
            body = {"ids": arrived, "bulk": bulk}
            self._call("POST", f"cases/{case.id}/uploads/complete/", json=body)

    def _send(self, path: Path, form: dict[str, Any]) -> None:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ClientError(f"cannot be read: {error.strerror}") from error

        def post() -> httpx.Response:
            return self._store.post(form["url"], data=form["fields"], files={"file": content})

        response = _persist(post)
        if not response.is_success:
            raise ClientError(f"the object store answers {response.status_code}: {response.text[:200]}")

    def _call(self, method: str, path: str, **request: Any) -> Any:
        response = _persist(lambda: self._api.request(method, path, **request))
        if response.is_success:
            return response.json()
        try:
            error = response.json()["error"]
            message = f"{error['message']} {error.get('fields', '')}".strip()
            kind = _ERRORS.get(error["code"])
        except (ValueError, KeyError, TypeError):
            message = f"{self.url} answers {response.status_code} and is perhaps not a HematoVision server."
            kind = None
        raise (kind or (SignInError if response.status_code in (401, 403) else ClientError))(message)


def image_files(folder: Path) -> list[Path]:
    """The image files in a folder and its sub-folders, hidden ones aside, in the order of their paths."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )


def _name(path: Path) -> str:
    """The file's name in valid Unicode, whatever bytes the file system holds."""
    return path.name.encode(errors="replace").decode()


def _is_kept(image: dict[str, Any]) -> bool:
    return image["status"] in ("received", "classified")


def _groups(items: Sequence[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while group := list(islice(iterator, size)):
        yield group


def _persist(send: Callable[[], httpx.Response]) -> httpx.Response:
    """Send until there is an answer that trying again would not better.

    Raises:
        ClientError: no answer after the last try.
    """
    tries_left, pause = _TRIES, _FIRST_PAUSE_S
    while True:
        tries_left -= 1
        try:
            response = send()
        except httpx.TransportError as error:
            if not tries_left:
                raise ClientError(f"No answer: {error or type(error).__name__}.") from error
            wait = pause
        else:
            overloaded = response.status_code == 429 or response.status_code >= 500
            if not (overloaded and tries_left):
                return response
            wait = _retry_after(response) or pause
        time.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - spreads clients out, protects nothing
        pause = min(2 * pause, _LONGEST_PAUSE_S)


def _retry_after(response: httpx.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    return min(float(text), _LONGEST_PAUSE_S) if text.isdigit() else None
