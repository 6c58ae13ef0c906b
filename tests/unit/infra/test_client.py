"""The API client against a server made of a function: what it sends, repeats, skips and gives up."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra import client as module
from infra.client import Case, Client, ClientError, SignInError, image_files

PROGRESS = {"state": "empty", "total": 0, "received": 0, "classified": 0, "refused": 0, "failed": 0}
CASE = {"id": "c1", "accession": "A-1", "progress": PROGRESS}


class FakeServer:
    """Answers as the API and the object store do; remembers what it was sent."""

    def __init__(self) -> None:
        self.images: list[dict[str, Any]] = []
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
        body = json.loads(request.content) if request.content else None
        match request.method, request.url.path.removeprefix("/api/v1/"):
            case "GET", "cases/":
                return httpx.Response(200, json={"results": [CASE]})
            case "GET", "cases/c1/images/":
                return httpx.Response(200, json={"results": self.images, "next": None})
            case "POST", "cases/c1/uploads/":
                return httpx.Response(201, json={"uploads": [self._form(file) for file in body["files"]]})
            case "POST", "cases/c1/uploads/complete/":
                self.completed.append(body)
                return httpx.Response(202, json={"accepted": len(body["ids"])})
        return httpx.Response(404, json={"error": {"code": "not_found", "message": "Nothing here."}})

    def _form(self, file: dict[str, Any]) -> dict[str, Any]:
        number = len(self.images)
        self.images.append({"id": number, "name": file["name"], "bytes": file["size"], "status": "received"})
        if not file["size"]:
            return {
                "id": number,
                "url": None,
                "fields": None,
                "refused": {"code": "empty", "message": "Empty."},
            }
        return {
            "id": number,
            "url": f"http://store/{number}",
            "fields": {"key": str(number)},
            "refused": None,
        }


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    server = FakeServer()
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    real = httpx.Client
    monkeypatch.setattr(
        module.httpx, "Client", lambda **options: real(**options, transport=httpx.MockTransport(server))
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
    assert result.skipped == files[:40]
    assert len(server.stored) == 30


@pytest.mark.parametrize("status", ["refused", "failed", "awaiting_upload"])
def test_what_did_not_succeed_is_sent_again(
    server: FakeServer, client: Client, files: list[Path], status: str
) -> None:
    server.images = [{"id": 9, "name": files[0].name, "bytes": 1, "status": status}]
    assert client.upload(Case.of(CASE), files[:1]).skipped == []


def test_files_that_look_the_same_are_all_sent(server: FakeServer, client: Client, tmp_path: Path) -> None:
    files = [tmp_path / folder / "1.bmp" for folder in ("a", "b")]
    for path in files:
        path.parent.mkdir()
        path.write_bytes(path.parent.name.encode())
    server.images = [{"id": 9, "name": "1.bmp", "bytes": 1, "status": "classified"}]
    assert client.upload(Case.of(CASE), files).skipped == []
    assert len(server.stored) == 2


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
            raise httpx.ConnectError("refused")
        assert isinstance(trouble, int)
        return httpx.Response(trouble)

    server.stumble = stumble
    assert client.open_case("A-1").id == "c1"


def test_trouble_that_stays_is_told(server: FakeServer, client: Client) -> None:
    def refuse(request: httpx.Request) -> None:
        raise httpx.ConnectError("connection refused")

    server.stumble = refuse
    with pytest.raises(ClientError, match="connection refused"):
        client.open_case("A-1")
    assert 3 <= len(server.requests) <= 10


def test_the_server_says_how_long_to_wait(
    server: FakeServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(module.time, "sleep", slept.append)
    answers = [httpx.Response(429, headers={"Retry-After": "7"})]
    server.stumble = lambda request: answers.pop() if answers else None
    client.open_case("A-1")
    assert 3.5 <= slept[0] <= 7


def test_a_refusal_is_in_the_servers_words_and_not_repeated(server: FakeServer, client: Client) -> None:
    error = {"error": {"code": "permission_denied", "message": "You may not do this."}}
    server.stumble = lambda request: httpx.Response(403, json=error)
    with pytest.raises(SignInError, match="You may not do this"):
        client.open_case("A-1")
    assert len(server.requests) == 1


def test_something_else_than_our_server_is_told(server: FakeServer, client: Client) -> None:
    server.stumble = lambda request: httpx.Response(404, text="<html>")
    with pytest.raises(ClientError, match="perhaps not a HematoVision server"):
        client.open_case("A-1")


def test_image_files_of_a_folder(tmp_path: Path) -> None:
    wanted = ["a.jpg", "b.TIFF", "sub/c.webp", "sub/d.jpeg", "z.bmp"]
    for name in [*wanted, "notes.txt", ".hidden.jpg", ".git/e.png", "README", "sub/.thumb/f.png"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    assert [str(path.relative_to(tmp_path)) for path in image_files(tmp_path)] == wanted
