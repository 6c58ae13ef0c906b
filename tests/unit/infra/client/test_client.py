"""The API client against a server made of a function: what it sends, repeats, skips and gives up."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.client.client import Case, Client
from infra.client.connection import Abortable, Connection
from infra.client.errors import ClientError, SignInError
from infra.client.upload import Already, Upload

PROGRESS = {"state": "receiving", "total": 0, "received": 0, "classified": 0, "refused": 0, "failed": 0}
CASE = {"id": "c1", "accession": "A-1", "progress": PROGRESS}


class FakeServer:
    """Answers as the API and the object store do; remembers what it was sent."""

    def __init__(self) -> None:
        self.images: list[dict[str, Any]] = []
        self.digests: dict[int, str] = {}
        self.completed: list[dict[str, Any]] = []
        self.stored: dict[str, bytes] = {}
        self.requests: list[httpx.Request] = []
        self.stumble: Callable[[httpx.Request], httpx.Response | None] = lambda request: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if answer := self.stumble(request):
            return answer
        if request.url.host == "store":
            self.stored[request.url.path] = request.read()
            return httpx.Response(204)
        body: dict[str, Any] = json.loads(request.content or "{}")
        match request.method, request.url.path.removeprefix("/api/v1/"):
            case "GET", "cases/":
                return httpx.Response(200, json={"results": [CASE]})
            case "GET", "cases/c1/images/":
                return httpx.Response(200, json={"results": self.images, "next": None})
            case "POST", "cases/c1/uploads/":
                return httpx.Response(201, json={"uploads": [self._form(file) for file in body["files"]]})
            case "POST", "cases/c1/uploads/renew/":
                renewed = [self._upload(number, number, "renewed") for number in body["ids"]]
                return httpx.Response(200, json={"uploads": renewed})
            case "POST", "cases/c1/uploads/complete/":
                self.completed.append(body)
                for image in self.images:
                    if image["id"] in body["ids"]:
                        image["status"] = "received"
                return httpx.Response(202, json={"accepted": len(body["ids"])})
        return httpx.Response(404, json={"error": {"code": "not_found", "message": "Nothing here."}})

    def _form(self, file: dict[str, Any]) -> dict[str, Any]:
        for number, digest in self.digests.items():
            if digest == file["sha256"]:
                return self._upload(number, None if self.images[number]["status"] != "new" else number)
        number = len(self.images)
        self.digests[number] = file["sha256"]
        self.images.append({"id": number, "name": file["name"], "bytes": file["size"], "status": "new"})
        if not file["size"]:
            self.images[-1] |= {"status": "refused", "reason": {"code": "empty", "message": "Empty."}}
            return {**self._upload(number, None), "refused": self.images[-1]["reason"], "already": None}
        return {**self._upload(number, number), "already": None}

    def _upload(self, number: int, place: int | None, form: str = "first") -> dict[str, Any]:
        image = self.images[number]
        return {
            "id": number,
            "name": image["name"],
            "url": None if place is None else f"http://store/{place}",
            "fields": None if place is None else {"form": form},
            "refused": None,
            "already": {"name": image["name"], "status": image["status"], "reason": image.get("reason")},
        }


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    server = FakeServer()
    monkeypatch.setattr(Connection, "_back_off", lambda connection, seconds: None)
    real = httpx.Client
    monkeypatch.setattr(
        httpx, "Client", lambda **options: real(**options, transport=httpx.MockTransport(server))
    )
    return server


@pytest.fixture
def client(server: FakeServer) -> Iterator[Client]:
    with Client("http://lab.example/", "hv_secret") as client:
        yield client


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    made = [tmp_path / f"{number:03}.jpg" for number in range(70)]
    for number, path in enumerate(made):
        path.write_bytes(b"x" * (number + 1))
    return made


def test_files_are_sent_and_handed_over_in_groups(
    server: FakeServer, client: Client, files: list[Path]
) -> None:
    counted: list[int] = []
    result = client.upload(Case.of(CASE), files, counted.append)
    assert [len(body["ids"]) for body in server.completed] == [64, 6]
    assert len(server.stored) == 70
    assert sum(counted) == 70
    assert result.ids == {path: number for number, path in enumerate(files)}
    assert not result.unsent


def test_the_token_is_for_the_api_alone(server: FakeServer, client: Client, files: list[Path]) -> None:
    client.upload(Case.of(CASE), files[:1])
    for request in server.requests:
        assert ("Authorization" in request.headers) == (request.url.host == "lab.example")


def test_the_server_is_asked_to_answer_in_the_reader_s_language(server: FakeServer, client: Client) -> None:
    client.open_case("A-1")
    assert server.requests[-1].headers["Accept-Language"] == "en"


@pytest.mark.parametrize(("count", "bulk"), [(1, False), (70, False), (120, True)])
def test_many_files_go_to_the_bulk_queue(
    server: FakeServer, client: Client, tmp_path: Path, count: int, bulk: bool
) -> None:
    files = [tmp_path / f"{number}.png" for number in range(count)]
    for path in files:
        path.write_bytes(path.name.encode())
    client.upload(Case.of(CASE), files)
    assert {body["bulk"] for body in server.completed} == {bulk}


def test_a_second_run_sends_only_what_is_missing(
    server: FakeServer, client: Client, files: list[Path]
) -> None:
    client.upload(Case.of(CASE), files[:40])
    server.stored.clear()
    result = client.upload(Case.of(CASE), files)
    assert list(result.already) == files[:40]
    assert result.sent == files[40:]
    assert len(server.stored) == 30
    assert result.ids == {path: number for number, path in enumerate(files)}


def test_what_was_refused_before_is_told_with_its_reason(
    server: FakeServer, client: Client, files: list[Path]
) -> None:
    client.upload(Case.of(CASE), files[:1])
    server.images[0] |= {"status": "refused", "reason": {"code": "no_colour", "message": "No colour."}}
    again = client.upload(Case.of(CASE), files[:1])
    assert again.already == {files[0]: Already("000.jpg", "refused", "No colour.")}
    assert len(server.images) == 1


def test_what_never_arrived_is_sent_again(server: FakeServer, client: Client, files: list[Path]) -> None:
    server.stumble = lambda request: httpx.Response(400) if request.url.host == "store" else None
    assert client.upload(Case.of(CASE), files[:1]).unsent
    server.stumble = lambda request: None
    assert client.upload(Case.of(CASE), files[:1]).sent == files[:1]
    assert len(server.images) == 1


def test_files_of_one_name_and_size_are_all_sent(server: FakeServer, client: Client, tmp_path: Path) -> None:
    files = [tmp_path / folder / "1.bmp" for folder in ("a", "b")]
    for path in files:
        path.parent.mkdir()
        path.write_bytes(path.parent.name.encode())
    client.upload(Case.of(CASE), files[:1])
    assert client.upload(Case.of(CASE), files).sent == files[1:]
    assert len(server.stored) == 2


def test_the_same_bytes_twice_are_sent_once_and_told(
    server: FakeServer, client: Client, tmp_path: Path
) -> None:
    files = [tmp_path / name for name in ("a.jpg", "b.jpg")]
    for path in files:
        path.write_bytes(b"same")
    result = client.upload(Case.of(CASE), files)
    assert result.same_as == {files[1]: files[0]}
    assert result.ids == {files[0]: 0, files[1]: 0}
    assert len(server.stored) == 1


def test_a_form_that_has_expired_is_renewed_for_the_same_row(
    server: FakeServer, client: Client, files: list[Path]
) -> None:
    def expired(request: httpx.Request) -> httpx.Response | None:
        if request.url.host == "store" and b"renewed" not in request.read():
            return httpx.Response(403, text="Policy expired")
        return None

    server.stumble = expired
    result = client.upload(Case.of(CASE), files[:3])
    assert result.sent == files[:3]
    assert server.completed == [{"ids": [0, 1, 2], "bulk": False}]
    assert len(server.images) == 3


@pytest.mark.parametrize("more", [b"y", b""])
def test_a_file_that_changes_meanwhile_is_told(
    server: FakeServer, client: Client, files: list[Path], more: bytes
) -> None:
    def change(request: httpx.Request) -> None:
        if request.url.path.endswith("/uploads/"):
            files[0].write_bytes(more)

    server.stumble = change
    result = client.upload(Case.of(CASE), files[:2])
    assert "changed" in result.unsent[files[0]]
    assert server.completed == [{"ids": [1], "bulk": False}]


def test_a_file_that_cannot_be_read_is_told(server: FakeServer, client: Client, files: list[Path]) -> None:
    files[0].unlink()
    files[0].mkdir()
    result = client.upload(Case.of(CASE), files[:2])
    assert "cannot be read" in result.unsent[files[0]]
    assert result.sent == [files[1]]


def test_interrupting_ends_what_is_under_way(
    server: FakeServer, client: Client, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a slow line the bytes of a file are on their way for minutes."""
    monkeypatch.undo()
    under_way = threading.Event()

    def interrupt(upload: Upload, *_: Any, **__: Any) -> None:
        def crawl() -> None:
            under_way.set()
            while True:
                Abortable(b"x", client.connection.stop).read()

        upload._pool.submit(crawl)
        under_way.wait()
        raise KeyboardInterrupt

    monkeypatch.setattr(Upload, "_send_group", interrupt)
    with pytest.raises(KeyboardInterrupt):
        client.upload(Case.of(CASE), files)


def test_a_refused_file_does_not_stop_the_rest(server: FakeServer, client: Client, tmp_path: Path) -> None:
    files = [tmp_path / "empty.jpg", tmp_path / "good.jpg"]
    files[0].write_bytes(b"")
    files[1].write_bytes(b"x")
    result = client.upload(Case.of(CASE), files)
    assert server.completed == [{"ids": [1], "bulk": False}]
    assert set(result.ids) == set(files)


def test_a_file_the_store_does_not_take_is_told(
    server: FakeServer, client: Client, files: list[Path]
) -> None:
    server.stumble = lambda request: httpx.Response(403, text="no") if request.url.path == "/1" else None
    result = client.upload(Case.of(CASE), files[:3])
    assert list(result.unsent) == [files[1]]
    assert "403" in result.unsent[files[1]]
    assert server.completed == [{"ids": [0, 2], "bulk": False}]


def test_a_file_that_vanishes_is_told(server: FakeServer, client: Client, files: list[Path]) -> None:
    def vanish(request: httpx.Request) -> None:
        if request.url.path.endswith("/uploads/"):
            files[0].unlink(missing_ok=True)

    server.stumble = vanish
    assert "No such file" in client.upload(Case.of(CASE), files[:2]).unsent[files[0]]


@pytest.mark.parametrize("trouble", [503, 500, 429, "connection"])
def test_trouble_that_passes_is_waited_out(server: FakeServer, client: Client, trouble: int | str) -> None:
    left = 3

    def stumble(request: httpx.Request) -> httpx.Response | None:
        nonlocal left
        left -= 1
        if left < 0:
            return None
        if trouble == "connection":
            raise httpx.ConnectError("no route")
        assert isinstance(trouble, int)
        return httpx.Response(trouble)

    server.stumble = stumble
    assert client.open_case("A-1").id == "c1"


def test_trouble_that_stays_is_told(server: FakeServer, client: Client) -> None:
    def fail(request: httpx.Request) -> None:
        raise httpx.ConnectError("connection refused")

    server.stumble = fail
    with pytest.raises(ClientError, match="connection refused"):
        client.open_case("A-1")
    assert 3 <= len(server.requests) <= 10


def test_the_server_says_how_long_to_wait(
    server: FakeServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(Connection, "_back_off", lambda connection, seconds: slept.append(seconds))
    answers = [httpx.Response(429, headers={"Retry-After": "7"})]
    server.stumble = lambda request: answers.pop() if answers else None
    client.open_case("A-1")
    assert 3.5 <= slept[0] <= 7


def test_what_is_denied_is_in_the_servers_words_and_not_retried(server: FakeServer, client: Client) -> None:
    error = {"error": {"code": "permission_denied", "message": "You may not do this."}}
    server.stumble = lambda request: httpx.Response(403, json=error)
    with pytest.raises(SignInError, match="You may not do this"):
        client.open_case("A-1")
    assert len(server.requests) == 1


def test_something_else_than_our_server_is_told(server: FakeServer, client: Client) -> None:
    server.stumble = lambda request: httpx.Response(404, text="<html>")
    with pytest.raises(ClientError, match="perhaps not a HematoVision server"):
        client.open_case("A-1")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>Welcome</html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"results": 7}),
        httpx.Response(200, json={"results": [{"id": "c1"}]}),
        httpx.Response(200, json=None),
        httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip")),
    ],
)
def test_an_answer_that_is_not_ours_is_a_sentence(
    server: FakeServer, client: Client, answer: httpx.Response
) -> None:
    server.stumble = lambda request: answer
    with pytest.raises(ClientError):
        client.open_case("A-1")


def test_an_address_that_has_moved_is_told(server: FakeServer, client: Client) -> None:
    server.stumble = lambda request: httpx.Response(301, headers={"Location": "https://lab.example/"})
    with pytest.raises(ClientError, match=r"sends on to https://lab\.example/"):
        client.open_case("A-1")


def test_what_is_wrong_with_a_field_is_a_sentence(server: FakeServer, client: Client) -> None:
    fields = {"accession": ["Visible characters only."], "files": {"0": {"size": ["Too much."]}}}
    error = {"error": {"code": "invalid", "message": "See fields.", "fields": fields}}
    server.stumble = lambda request: httpx.Response(400, json=error)
    with pytest.raises(ClientError) as told:
        client.open_case("A-1")
    assert str(told.value) == "See fields. accession: Visible characters only. files: Too much."


@pytest.mark.parametrize(
    "url", ["", "lab.example", "ftp://lab.example", "http://", "http://[::1", "http://a:99999", "http://ä b"]
)
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(ClientError, match="not the address of a server"):
        Client(url)


@pytest.mark.parametrize("token", ["hv_\nx", "hv_é", "a\x00b"])
def test_what_is_no_token_is_told(token: str) -> None:
    with pytest.raises(SignInError):
        Client("http://lab.example", token)


def test_a_certificate_file_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("not a certificate")
    with pytest.raises(ClientError, match=r"ca\.pem"):
        Client("https://lab.example", ca=tmp_path / "ca.pem")


@pytest.mark.parametrize("proxy", ["gopher://proxy:1", "socks5://proxy:1080", "http://[::1"])
def test_a_proxy_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(ClientError, match="proxy"):
        Client("http://lab.example")


def test_the_digest_and_size_that_are_told_are_those_of_the_bytes(
    server: FakeServer, client: Client, files: list[Path]
) -> None:
    client.upload(Case.of(CASE), files[4:5])
    assert server.digests == {0: hashlib.sha256(b"xxxxx").hexdigest()}
    assert server.images[0]["bytes"] == 5


def test_what_was_refused_before_is_asked_for_again_only_when_told(
    server: FakeServer, client: Client, files: list[Path]
) -> None:
    asked: list[bool] = []

    def note(request: httpx.Request) -> None:
        if request.url.path.endswith("/uploads/"):
            asked.append(json.loads(request.content)["again"])

    server.stumble = note
    client.upload(Case.of(CASE), files[:1])
    client.upload(Case.of(CASE), files[:1], again=True)
    assert asked == [False, True]
