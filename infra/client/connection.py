"""Requests to one server and its object store: trusted certificates, proxies, retries and timeouts."""

import io
import random
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import httpx

from infra.client.errors import ClientError, CodeNeededError, SignInError
from infra.client.limits import (
    API_TIMEOUT_S,
    CONCURRENCY,
    CONNECT_TIMEOUT_S,
    FIRST_BACKOFF_S,
    LONGEST_BACKOFF_S,
    MAX_ATTEMPTS,
    STORE_TIMEOUT_S,
)
from infra.client.proxies import proxy_for
from infra.language import LANGUAGE, _

_ERRORS = {"second_factor_needed": CodeNeededError}  # by the code the API gives them


class Stopped(Exception):
    """Raised in the threads of an upload that was interrupted."""


class Connection:
    """Sends requests to one server on behalf of one API token, and files to its object store.

    Every request is retried, with growing pauses, while the server is unreachable or overloaded (no
    connection, 429, 5xx); so a restart of the server in the middle of an upload only delays it.

    Attributes:
        url: address of the server, without a slash at the end.
        stop: set, it ends what other threads have under way.
    """

    def __init__(self, url: str, token: str | None, ca: Path | None) -> None:
        self.url = server_address(url)
        self.stop = threading.Event()
        token = (token or "").strip()
        if not (token.isascii() and (token.isprintable() or not token)):
            raise SignInError(_("The token has characters that no token has."))
        self._verify = _trust(ca, self.url)
        headers = {"Accept-Language": LANGUAGE, **({"Authorization": f"Bearer {token}"} if token else {})}
        self.api = self._open(self.url, API_TIMEOUT_S, base_url=f"{self.url}/api/v1/", headers=headers)
        # The store gets its own clients: our token is not for it.
        self._stores: dict[str, httpx.Client] = {}
        self._opening = threading.Lock()

    def close(self) -> None:
        for client in (self.api, *self._stores.values()):
            client.close()

    def call(self, method: str, path: str, **request: Any) -> Any:
        """Ask the API; returns what it answers, read as JSON.

        Raises:
            SignInError: the token or the password is not accepted, or is not allowed this.
            ClientError: the server cannot be reached, is none of ours, or does not do it.
        """
        response = self._retry(lambda: self.api.request(method, path, **request))
        if response.is_success:
            try:
                return response.json()
            except ValueError:
                self._not_ours(
                    _(
                        "%(url)s answers %(status)s without JSON and is perhaps not a HematoVision server, "
                        "or of another version."
                    ),
                    status=response.status_code,
                )
        if response.is_redirect:
            raise ClientError(
                _("%(url)s sends on to %(location)s: give that address.")
                % {"url": self.url, "location": response.headers.get("Location", _("nowhere"))}
            )
        try:
            error = response.json()["error"]
            message, code = str(error["message"]), error["code"]
            problems = {name: _first(what) for name, what in error.get("fields", {}).items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            self._not_ours(
                _(
                    "%(url)s answers %(status)s and is perhaps not a HematoVision server, or of another "
                    "version."
                ),
                status=response.status_code,
            )
        if problems:
            message = " ".join([message, *(f"{name}: {what}" for name, what in problems.items())])
        denied = response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
        raise _ERRORS.get(code, SignInError if denied else ClientError)(message)

    @contextmanager
    def understood(self) -> Iterator[None]:
        """Whoever reads a response inside, and misses something in it, raises ClientError: it is not ours."""
        try:
            yield
        except (KeyError, IndexError, TypeError, AttributeError, ValueError):
            self._not_ours(
                _(
                    "%(url)s answers something else than was asked and is perhaps not a HematoVision "
                    "server, or of another version."
                )
            )

    def post_to_store(self, url: str, fields: dict[str, str], data: bytes) -> httpx.Response:
        """Post a file's bytes with the fields of its form.

        Raises:
            ClientError: the store cannot be reached.
            Stopped: `stop` was set.
        """
        store = self._store(url)
        return self._retry(
            lambda: store.post(url, data=fields, files={"file": ("file", Abortable(data, self.stop))})
        )

    def _store(self, url: str) -> httpx.Client:
        """The client for the object store at `url`."""
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        with self._opening:
            if origin not in self._stores:
                limits = httpx.Limits(max_connections=CONCURRENCY)
                self._stores[origin] = self._open(origin, STORE_TIMEOUT_S, limits=limits)
            return self._stores[origin]

    def _open(self, url: str, timeout_s: float, **options: Any) -> httpx.Client:
        timeout = httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S)
        # Proxies are our own affair: see `proxy_for`.
        try:
            return httpx.Client(
                verify=self._verify, trust_env=False, proxy=proxy_for(url), timeout=timeout, **options
            )
        except (ValueError, httpx.InvalidURL, ImportError) as error:
            raise ClientError(
                _("The proxy that the environment names cannot be used: %(error)s") % {"error": error}
            ) from error

    def _not_ours(self, why: str, **values: object) -> NoReturn:
        raise ClientError(why % {"url": self.url, **values})

    def _retry(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        """Send, and retry until there is a response that no retry would change.

        Raises:
            ClientError: no answer after the last try, or none that could ever come.
        """
        attempts_left, backoff = MAX_ATTEMPTS, FIRST_BACKOFF_S
        while True:
            attempts_left -= 1
            try:
                response = send()
            except httpx.RequestError as error:
                if not attempts_left or not _is_transient(error):
                    raise ClientError(_reason(error)) from error
                wait = backoff
            except (httpx.InvalidURL, UnicodeError) as error:
                raise ClientError(_("That cannot be sent: %(error)s.") % {"error": error}) from error
            else:
                overloaded = response.status_code == 429 or response.status_code >= 500
                if not (overloaded and attempts_left):
                    return response
                wait = _retry_after(response) or backoff
            self._back_off(wait * random.uniform(0.5, 1.0))  # noqa: S311 - spreads clients out, protects nothing
            backoff = min(2 * backoff, LONGEST_BACKOFF_S)

    def _back_off(self, seconds: float) -> None:
        if self.stop.wait(seconds):
            raise Stopped


class Abortable(io.BytesIO):
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
        raise ClientError(
            _("%(url)r is not the address of a server. One looks like https://lab.example.org.")
            % {"url": url}
        )
    return url


def _trust(ca: Path | None, url: str) -> ssl.SSLContext:
    """What may sign the server's certificate: whom this machine trusts, and `ca`."""
    try:
        trusted = httpx.create_ssl_context(trust_env=url.startswith("https:"))
    except OSError as error:
        raise ClientError(
            _("What SSL_CERT_FILE or SSL_CERT_DIR name cannot be read: %(error)s") % {"error": error}
        ) from error
    if ca:
        try:
            trusted.load_verify_locations(ca)
        except OSError as error:
            raise ClientError(
                _("%(ca)s is not a certificate in PEM: %(error)s") % {"ca": ca, "error": error}
            ) from error
    return trusted


def _first(problem: Any) -> str:
    """The first sentence in what the API says of a field."""
    while isinstance(problem, list | dict) and problem:
        problem = problem[0] if isinstance(problem, list) else next(iter(problem.values()))
    return str(problem)


def _is_transient(error: httpx.RequestError) -> bool:
    """Whether a retry may help: not with an address, a certificate or a proxy that will not do."""
    lasting = (httpx.UnsupportedProtocol, httpx.ProxyError, httpx.DecodingError, httpx.LocalProtocolError)
    return not isinstance(error, lasting) and "[SSL" not in str(error)


def _reason(error: httpx.RequestError) -> str:
    where = "{0.scheme}://{0.netloc}".format(urlsplit(str(error.request.url)))
    said = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return _("The certificate of %(where)s is not trusted: %(said)s. Name its authority with --ca.") % {
            "where": where,
            "said": said,
        }
    if isinstance(error, httpx.ProxyError):
        return _("The proxy on the way to %(where)s does not let it through: %(said)s.") % {
            "where": where,
            "said": said,
        }
    return _("No answer from %(where)s: %(said)s.") % {"where": where, "said": said}


def _retry_after(response: httpx.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    return min(float(text), LONGEST_BACKOFF_S) if text.isdigit() else None
