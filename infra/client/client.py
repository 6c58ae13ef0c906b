"""A client of the HTTP API: cases, uploads that survive a bad line, and what became of each image."""

import io
import random
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import httpx

from infra.client.files import Description, Unusable, content, describe, name_of
from infra.client.proxies import proxy_for

GROUP = 64  # files asked for, sent and handed over at once: what the model takes in one call
CONCURRENCY = 8  # uploads under way at once
MANY = 100  # from this many files on, they go to the bulk queue

_TRIES = 6
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 15.0
_TIMEOUT = httpx.Timeout(30, connect=5)
# What the kernel has taken for a slow line may be on its way for minutes after we have written it.
_STORE_TIMEOUT = httpx.Timeout(180, connect=5)
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
        self.url = server_address(url)
        token = (token or "").strip()
        if not (token.isascii() and (token.isprintable() or not token)):
            raise SignInError("The token has characters that no token has.")
        self._verify = _trust(ca, self.url)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._api = self._connect(self.url, base_url=f"{self.url}/api/v1/", headers=headers, timeout=_TIMEOUT)
        # The store gets its own clients: our token is not for it.
        self._stores: dict[str, httpx.Client] = {}
        self._opening = threading.Lock()
        self._stop = threading.Event()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        for client in (self._api, *self._stores.values()):
            client.close()

    def sign_in(self, email: str, password: str, code: str = "") -> str:
        """Exchange a password, and the code of a second factor where there is one, for an API token.

        Raises:
            CodeNeededError: the account has a second factor, and no code was given.
            SignInError: the server does not accept them.
        """
        given = {"email": email, "password": password, **({"code": code} if code else {})}
        with self._understood():
            return str(self._call("POST", "tokens/", json=given)["token"])

    def case(self, case_id: str) -> Case:
        """The case with its differential so far."""
        with self._understood():
            return Case.of(self._call("GET", f"cases/{case_id}/"))

    def open_case(self, accession: str) -> Case:
        """The lab's case of this accession number, opened now if there is none."""
        with self._understood():
            found = self._call("GET", "cases/", params={"accession": accession})["results"]
            made = found[0] if found else self._call("POST", "cases/", json={"accession": accession})
            return Case.of(made)

    def images(self, case_id: str, **filters: str) -> Iterator[dict[str, Any]]:
        """The case's images in the order of upload; `status` and `cell_class` narrow them."""
        page = f"cases/{case_id}/images/"
        query: Mapping[str, str] | None = {**filters, "page_size": "500"}
        while page:
            with self._understood():
                answer = self._call("GET", page, params=query)
                rows, page, query = list(answer["results"]), answer["next"], None
            yield from rows

    def upload(
        self,
        case: Case,
        files: Sequence[Path],
        done: Callable[[int], None] = _ignore,
        *,
        again: bool = False,
    ) -> Uploaded:
        """Upload files straight to the object store and hand them over to be classified.

        May be repeated, after an interruption or for the whole: a file is what its bytes are, and what the
        case has is not sent again.

        Args:
            done: called with the number of files dealt with since its last call.
            again: send also what was refused before, to have it judged once more.

        Raises:
            ClientError: the server cannot be reached, or refuses the whole request.
        """
        result = Uploaded()
        first: dict[str, Path] = {}  # file by digest
        self._stop.clear()
        pool = ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="upload")
        try:
            for group in _groups(sorted(files), GROUP):
                described = self._describe(group, first, pool, result)
                self._send_group(case, described, len(files) >= MANY, again, pool, result)
                done(len(group))
        except BaseException:
            self._stop.set()  # else nothing would end before what is under way has arrived
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        for path, other in result.same_as.items():
            if other in result.ids:
                result.ids[path] = result.ids[other]
        return result

    def wait(self, case_id: str, progress: Callable[[Case], None] = _ignore) -> Case:
        """Wait until nothing in the case waits for the model; `progress` is called while it does."""
        while True:
            case = self.case(case_id)
            progress(case)
            if case.finished:
                return case
            time.sleep(_POLL_S)

    def _describe(
        self, group: Sequence[Path], first: dict[str, Path], pool: ThreadPoolExecutor, result: Uploaded
    ) -> dict[Path, Description]:
        """Read a group of files through; those that no earlier file was the same as."""
        reading = {path: pool.submit(describe, path) for path in group}
        described = {}
        for path, read in reading.items():
            try:
                description = read.result()
            except Unusable as error:
                result.unsent[path] = str(error)
                continue
            other = first.setdefault(description.sha256, path)
            if other == path:
                described[path] = description
            else:
                result.same_as[path] = other
        return described

    def _send_group(
        self,
        case: Case,
        described: dict[Path, Description],
        bulk: bool,
        again: bool,
        pool: ThreadPoolExecutor,
        result: Uploaded,
    ) -> None:
        """Ask for forms for a group of files, send their bytes, and hand over those that arrived."""
        if not described:
            return
        asked = [
            {"name": name_of(path), "size": file.size, "sha256": file.sha256}
            for path, file in described.items()
        ]
        with self._understood():
            rows = self._call("POST", f"cases/{case.id}/uploads/", json={"files": asked, "again": again})[
                "uploads"
            ]
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
                path: pool.submit(self._send, case, path, described[path], row)
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
            body = {"ids": arrived, "bulk": bulk}
            self._call("POST", f"cases/{case.id}/uploads/complete/", json=body)

    def _send(self, case: Case, path: Path, described: Description, form: dict[str, Any]) -> None:
        """Post a file's bytes to the store.

        Raises:
            Unusable: the file cannot be read any more, or has changed.
            ClientError: the store does not take it.
        """
        data = content(path, described)
        response = self._post(form, data)
        if response.status_code == httpx.codes.FORBIDDEN:  # the form has expired on a slow line
            with self._understood():
                renewed = self._call("POST", f"cases/{case.id}/uploads/renew/", json={"ids": [form["id"]]})
                (form,) = renewed["uploads"]
            if not form["url"]:
                return  # somebody else sent these bytes meanwhile
            response = self._post(form, data)
        if not response.is_success:
            raise ClientError(f"The object store answers {response.status_code}: {response.text[:200]}")

    def _post(self, form: dict[str, Any], data: bytes) -> httpx.Response:
        url, fields = form["url"], form["fields"]
        store = self._store(url)
        return self._persist(
            lambda: store.post(url, data=fields, files={"file": ("file", _Abortable(data, self._stop))})
        )

    def _store(self, url: str) -> httpx.Client:
        """The client for the object store at `url`."""
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        with self._opening:
            if origin not in self._stores:
                limits = httpx.Limits(max_connections=CONCURRENCY)
                self._stores[origin] = self._connect(origin, timeout=_STORE_TIMEOUT, limits=limits)
            return self._stores[origin]

    def _connect(self, url: str, **options: Any) -> httpx.Client:
        # Proxies are our own affair: see `proxy_for`.
        try:
            return httpx.Client(verify=self._verify, trust_env=False, proxy=proxy_for(url), **options)
        except (ValueError, httpx.InvalidURL, ImportError) as error:
            raise ClientError(f"The proxy that the environment names cannot be used: {error}") from error

    def _call(self, method: str, path: str, **request: Any) -> Any:
        response = self._persist(lambda: self._api.request(method, path, **request))
        if response.is_success:
            try:
                return response.json()
            except ValueError:
                self._not_ours(f"answers {response.status_code} without JSON")
        if response.is_redirect:
            raise ClientError(
                f"{self.url} sends on to {response.headers.get('Location', 'nowhere')}: give that address."
            )
        try:
            error = response.json()["error"]
            message, code = str(error["message"]), error["code"]
            told = {name: _first(what) for name, what in error.get("fields", {}).items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            self._not_ours(f"answers {response.status_code}")
        if told:
            message = " ".join([message, *(f"{name}: {what}" for name, what in told.items())])
        denied = response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
        raise _ERRORS.get(code, SignInError if denied else ClientError)(message)

    @contextmanager
    def _understood(self) -> Iterator[None]:
        """Whatever an answer lacks here, it is no answer of ours."""
        try:
            yield
        except (KeyError, IndexError, TypeError, AttributeError, ValueError):
            self._not_ours("answers something else than was asked")

    def _not_ours(self, what: str) -> NoReturn:
        raise ClientError(
            f"{self.url} {what} and is perhaps not a HematoVision server, or of another version."
        )

    def _persist(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        """Send until there is an answer that trying again would not better.

        Raises:
            ClientError: no answer after the last try, or none that could ever come.
        """
        tries_left, pause = _TRIES, _FIRST_PAUSE_S
        while True:
            tries_left -= 1
            try:
                response = send()
            except httpx.RequestError as error:
                if not tries_left or not _may_pass(error):
                    raise ClientError(_why(error)) from error
                wait = pause
            except (httpx.InvalidURL, UnicodeError) as error:
                raise ClientError(f"That cannot be sent: {error}.") from error
            else:
                overloaded = response.status_code == 429 or response.status_code >= 500
                if not (overloaded and tries_left):
                    return response
                wait = _retry_after(response) or pause
            self._pause(wait * random.uniform(0.5, 1.0))  # noqa: S311 - spreads clients out, protects nothing
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise Stopped


class Stopped(Exception):
    """Raised in the threads of an upload that was interrupted."""


class _Abortable(io.BytesIO):
    """The bytes of a file on their way, until `stop` is set: on a slow line that is long before their end."""

    def __init__(self, data: bytes, stop: threading.Event) -> None:
        super().__init__(data)
        self._stop = stop

    def read(self, size: int | None = -1, /) -> bytes:
        if self._stop.is_set():
            raise Stopped
        return super().read(size)


def server_address(url: str) -> str:
    """An address as this client uses it, without a slash at the end.

    Raises:
        ClientError: it is none.
    """
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or not url.isascii() or not url.isprintable() or parts.query or parts.fragment:
        raise ClientError(f"{url!r} is not the address of a server. One looks like https://lab.example.org.")
    return url


def _trust(ca: Path | None, url: str) -> ssl.SSLContext:
    """What may sign the server's certificate: whom this machine trusts, and `ca`."""
    try:
        trusted = httpx.create_ssl_context(trust_env=url.startswith("https:"))
    except OSError as error:
        raise ClientError(f"What SSL_CERT_FILE or SSL_CERT_DIR name cannot be read: {error}") from error
    if ca:
        try:
            trusted.load_verify_locations(ca)
        except OSError as error:
            raise ClientError(f"{ca} is not a certificate in PEM: {error}") from error
    return trusted


def _groups(items: Sequence[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while group := list(islice(iterator, size)):
        yield group


def _first(told: Any) -> str:
    """The first sentence in what the API says of a field."""
    while isinstance(told, list | dict) and told:
        told = told[0] if isinstance(told, list) else next(iter(told.values()))
    return str(told)


def _may_pass(error: httpx.RequestError) -> bool:
    """Whether trying again may help: not with an address, a certificate or a proxy that will not do."""
    lasting = (httpx.UnsupportedProtocol, httpx.ProxyError, httpx.DecodingError, httpx.LocalProtocolError)
    return not isinstance(error, lasting) and "[SSL" not in str(error)


def _why(error: httpx.RequestError) -> str:
    where = "{0.scheme}://{0.netloc}".format(urlsplit(str(error.request.url)))
    said = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return f"The certificate of {where} is not trusted: {said}. Name its authority with --ca."
    if isinstance(error, httpx.ProxyError):
        return f"The proxy on the way to {where} refuses: {said}."
    return f"No answer from {where}: {said}."


def _retry_after(response: httpx.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    return min(float(text), _LONGEST_PAUSE_S) if text.isdigit() else None
