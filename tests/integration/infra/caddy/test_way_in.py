"""Caddy, as one machine and docker-compose.yml configure it: what it lets in, passes on, and writes down."""

import json
import os
import re
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
import trustme

import infra
from infra.local.config.ports import check_free
from infra.local.config.settings import LOOPBACK, Settings
from infra.local.config.sockets import socket_path
from infra.local.errors import StackError
from infra.local.programs.caddy import WEB_SOCKET, caddyfile
from tests.support.stack import free_settings

BEYOND = "127.0.0.2"  # stands for an address that other machines reach
SOCKETS = 100
CADDY = str(Path(sys.executable).with_name("caddy"))
SHARED = Path(infra.__file__).parent / "caddy" / "shared.caddy"
COMPOSE = Path(infra.__file__).parent / "compose" / "Caddyfile"
SECRET = "planted-8812"
SENT = {
    "Cookie": f"sessionid={SECRET}",
    "Authorization": f"Bearer {SECRET}",
    "Referer": f"https://lab.example/?q={SECRET}",
    "X-Operator": "forged@lab.example",
}


Requests = list[tuple[str, dict[str, str]]]
Address = TypeVar("Address")


class Heard(BaseHTTPRequestHandler):
    """Answers 200 and remembers what it was asked, and with which headers; keeps connections."""

    protocol_version = "HTTP/1.1"
    server: "OnSocket | OnPort"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.heard.append((self.path, dict(self.headers)))
        self.send_response(200)
        self.send_header("X-Operator", "ann@lab.example")
        self.send_header("Location", f"/?code={SECRET}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - the library's name

    def log_message(self, *_: object) -> None:
        pass


class OnSocket(socketserver.ThreadingUnixStreamServer):
    """Whoever hangs up half-way is no news."""

    heard: Requests

    def handle_error(self, *_: object) -> None:
        pass

    daemon_threads, block_on_close, request_queue_size = True, False, 128

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        return super().get_request()[0], ("", 0)


class OnPort(socketserver.ThreadingTCPServer):
    heard: Requests

    def handle_error(self, *_: object) -> None:
        pass

    daemon_threads, block_on_close, request_queue_size, allow_reuse_address = True, False, 128, True


@contextmanager
def server(kind: Callable[[Address, type[Heard]], OnSocket | OnPort], address: Address) -> Iterator[Requests]:
    heard: Requests = []
    with kind(address, Heard) as serving:
        serving.heard = heard
        thread = threading.Thread(target=serving.serve_forever, daemon=True)
        thread.start()
        yield heard
        serving.shutdown()
        thread.join()


@dataclass
class Way:
    """A running Caddy before stubs of what it leads to."""

    settings: Settings
    log: Path
    web: Requests = field(default_factory=list)
    store: Requests = field(default_factory=list)

    def client(self, host: str = BEYOND, service: str = "web") -> httpx.Client:
        authority = self.settings.authority
        verify = ssl.create_default_context(cafile=str(authority)) if authority else False
        address = self.settings.address(host, service)
        return httpx.Client(base_url=address, verify=verify, trust_env=False, timeout=10)

    def open(self, service: str) -> socket.socket:
        """A connection past the handshake, at most."""
        raw = socket.create_connection((self.settings.host, self.settings.port(service)), timeout=20)
        if self.settings.authority is None:
            return raw
        return ssl.create_default_context(cafile=str(self.settings.authority)).wrap_socket(
            raw, server_hostname=self.settings.host
        )


@contextmanager
def caddy(settings: Settings, text: str) -> Iterator[Path]:
    """Run Caddy with this configuration; its log."""
    (file := settings.home / "run" / "Caddyfile").write_text(text)
    log = settings.home / "caddy.log"
    env = {**os.environ, "XDG_DATA_HOME": str(settings.caddy), "XDG_CONFIG_HOME": str(settings.caddy)}
    command = [CADDY, "run", "--config", str(file), "--adapter", "caddyfile"]
    with log.open("w") as output, subprocess.Popen(command, stderr=output, env=env) as process:
        try:
            deadline = time.monotonic() + 20
            while "serving initial configuration" not in log.read_text():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)
            if settings.authority:
                while "certificate obtained successfully" not in log.read_text():
                    time.sleep(0.05)
            yield log
        finally:
            process.terminate()


@contextmanager
def way(settings: Settings, text: str) -> Iterator[Way]:
    (settings.home / "run").mkdir(parents=True)
    with (
        server(OnSocket, str(socket_path(settings.home, WEB_SOCKET))) as web,
        server(OnPort, (LOOPBACK, settings.port("s3"))) as store,
        caddy(settings, text) as log,
    ):
        yield Way(settings, log, web, store)


@pytest.fixture(scope="module", params=[LOOPBACK, BEYOND], ids=["here", "beyond"])
def local(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    settings = free_settings(tmp_path_factory.mktemp("way") / "a home")
    settings = replace(settings, host=request.param, public_host=request.param)
    with way(settings, caddyfile(settings)) as running:
        yield running


def test_beyond_loopback_it_speaks_tls_and_sends_others_on(local: Way) -> None:
    with local.client(local.settings.host) as client:
        assert client.get("/healthz").status_code == 200
    port = local.settings.web_port
    plain = httpx.get(f"http://{local.settings.host}:{port}/healthz", trust_env=False)
    assert plain.status_code == (200 if local.settings.host == LOOPBACK else 308)
    assert (local.settings.authority is not None) == (local.settings.host == BEYOND)


def test_the_web_hears_who_asks_and_how(local: Way) -> None:
    with local.client(local.settings.host) as client:
        client.get("/", headers={"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "gopher"})
    _, headers = local.web[-1]
    assert headers["X-Forwarded-For"].startswith("127.0.0.")
    assert headers["X-Forwarded-Proto"] == local.settings.scheme
    assert headers["Host"] == f"{local.settings.host}:{local.settings.web_port}"


def test_sessions_and_tokens_do_not_reach_the_store(local: Way) -> None:
    with local.client(local.settings.host, "s3-public") as client:
        assert client.get("/hematovision/labs/1", params={"X-Amz-Signature": "s"}, headers=SENT).is_success
        assert client.post("/hematovision", files={"file": b"x" * 100_000}, headers=SENT).is_success
        assert client.get("/hematovision-locked/heads").status_code == 404
    assert len(local.store) == 2
    for _, headers in local.store:
        assert SECRET not in str({name: value for name, value in headers.items() if name != "Referer"})
        assert headers["Host"] == f"{local.settings.host}:{local.settings.port('s3-public')}"
    assert local.store[0][0].endswith("?X-Amz-Signature=s")


def test_no_line_of_the_log_holds_a_query_or_a_header(local: Way) -> None:
    with local.client(local.settings.host, "s3-public") as store:
        store.get(f"/hematovision/1?X-Amz-Signature={SECRET}", headers=SENT)
    with local.client(local.settings.host) as client:
        client.get(f"/cases/?mrn={SECRET}", headers=SENT)
        client.get(f"/invitations/{SECRET}/", headers=SENT)
    log = local.log.read_text()
    assert "/hematovision/1" in log
    assert SECRET not in log


HALVES = {
    "nothing": b"",
    "half a head": b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\n",
    "half a body": b"POST /hematovision HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx",
    "a large one": b"POST /hematovision HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\n"
    + b"x" * 9999,
}


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES)
@pytest.mark.parametrize("service", ["web", "s3-public"])
def test_half_sent_requests_keep_nobody_waiting(local: Way, service: str, half: bytes) -> None:
    with ExitStack() as held, local.client(local.settings.host) as client:
        for _ in range(SOCKETS):
            held.enter_context(local.open(service)).sendall(half)
        for _ in range(5):
            began = time.monotonic()
            assert client.get("/healthz").is_success
            assert time.monotonic() - began < 5  # half a request is hung up after 10 s


def test_byte_by_byte_a_request_meets_its_deadline(tmp_path: Path) -> None:
    settings = free_settings(tmp_path / "home")
    hasty = tmp_path / "hasty.caddy"
    hasty.write_text(re.sub(r"\b(10|60)s( 4096)?$", r"1s\2", SHARED.read_text(), flags=re.MULTILINE))
    with way(settings, caddyfile(settings).replace(str(SHARED), str(hasty))) as running:
        for service in ("web", "s3-public"):
            for half in (HALVES["half a head"], HALVES["a large one"]):
                began = time.monotonic()
                with running.open(service) as client:
                    client.sendall(half)
                    while time.monotonic() - began < 20:
                        try:
                            client.settimeout(0.2)
                            if not client.recv(4096).startswith(b"HTTP/1.1 200"):
                                break  # the end, or an answer that is an error
                        except TimeoutError:
                            client.sendall(b"x")
                        except OSError:
                            break
                assert time.monotonic() - began < 10, (service, half[:20])


def test_a_certificate_of_the_hospitals_is_shown(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("lab.example", BEYOND)
    files = tmp_path / "web.pem", tmp_path / "web.key"
    issued.cert_chain_pems[0].write_to_path(files[0])
    issued.private_key_pem.write_to_path(files[1])
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    settings = replace(
        free_settings(tmp_path / "home"),
        host=BEYOND,
        public_host="lab.example",
        certificate=str(files[0]),
        certificate_key=str(files[1]),
    )
    with way(settings, caddyfile(settings)):
        trusting = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        for service in ("web", "s3-public"):
            with httpx.Client(verify=trusting, trust_env=False) as client:
                assert client.get(settings.address(BEYOND, service)).status_code in (200, 404)
    assert not (settings.caddy / "pki").exists() or settings.authority is None


def test_ipv6_is_led_in(tmp_path: Path) -> None:
    settings = replace(free_settings(tmp_path / "home"), host="::1", public_host="::1")
    check_free(settings)
    with way(settings, caddyfile(settings)) as running, running.client("::1") as client:
        assert client.get("/healthz").is_success
        assert running.web[-1][1]["Host"] == f"[::1]:{settings.web_port}"
        with pytest.raises(StackError, match="WEB_PORT"):
            check_free(settings)


@pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8::7"])
def test_a_host_of_another_machine_is_named(tmp_path: Path, host: str) -> None:
    with pytest.raises(StackError, match="HEMATOVISION_HOST"):
        check_free(Settings(tmp_path, host=host))


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Way, dict[str, Requests]]]:
    """docker-compose.yml's configuration, with addresses of this machine."""
    settings = free_settings(tmp_path_factory.mktemp("compose") / "home")
    settings = replace(settings, host=LOOPBACK, public_host="localhost")
    (settings.home / "run").mkdir(parents=True)
    (settings.home / "login").write_text("Zmxvd2Vy")
    names = {"web:8000": "valkey", "flower:5555": "flower", "grafana:3000": "serving"}
    text = COMPOSE.read_text().replace("/etc/caddy/shared.caddy", str(SHARED))
    text = text.replace("/run/secrets/flower-login", str(settings.home / "login"))
    text = text.replace("https://seaweedfs:8333", f"http://{LOOPBACK}:{settings.port('s3')}")
    text = re.sub(r"\t+tls_(trust_pool|server_name).*\n", "", text)
    text = text.replace("{$HEMATOVISION_DOMAIN}", "localhost").replace(
        "{$HEMATOVISION_CERTIFICATE}", "internal"
    )
    text = text.replace("admin off", f"admin off\n\tstorage file_system {settings.caddy}")
    for number, name in enumerate(("s3-public", "seaweedfs-master", "seaweedfs-filer")):
        text = text.replace(str((8444, 8443, 8080)[number]), str(settings.port(name)))
    text = text.replace("2020", str(settings.port("seaweedfs-volume")))
    text = text.replace("dynamic a web 8000", f"dynamic a localhost {settings.port('valkey')}")
    for name, stands in names.items():
        text = text.replace(name, f"{LOOPBACK}:{settings.port(stands)}")
    with ExitStack() as held:
        heard = {
            name: held.enter_context(server(OnPort, (LOOPBACK, settings.port(service))))
            for name, service in (
                *(("web", "valkey"), ("flower", "flower"), ("grafana", "serving")),
                ("store", "s3"),
            )
        }
        log = held.enter_context(caddy(settings, text))
        root = settings.caddy / "pki" / "authorities" / "local" / "root.crt"
        deadline = time.monotonic() + 10
        while not (settings.caddy / "certificates" / "local" / "localhost").exists():
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        time.sleep(0.3)
        assert root.exists()
        yield Way(settings, log), heard


def ask(
    compose: tuple[Way, dict[str, Requests]], path: str, service: str = "seaweedfs-master"
) -> httpx.Response:
    way, _ = compose
    root = way.settings.caddy / "pki" / "authorities" / "local" / "root.crt"
    verify = ssl.create_default_context(cafile=str(root))
    with httpx.Client(verify=verify, trust_env=False) as client:
        return client.get(f"https://localhost:{way.settings.port(service)}{path}", headers=SENT)


def test_with_compose_sessions_reach_the_web_alone(compose) -> None:
    _, heard = compose
    assert ask(compose, "/cases/").is_success
    assert ask(compose, "/flower/workers").is_success
    assert ask(compose, "/grafana/").is_success
    assert ask(compose, "/hematovision/1?X-Amz-Signature=s", "s3-public").is_success
    assert SECRET in str(heard["web"])
    for name in ("flower", "grafana", "store"):
        (_, headers) = heard[name][-1]
        assert SECRET not in str({key: value for key, value in headers.items() if key != "Referer"}), name


def test_with_compose_flower_asks_for_the_password_that_caddy_has(compose) -> None:
    ask(compose, "/flower/workers")
    (_, headers) = compose[1]["flower"][-1]
    assert headers["Authorization"] == "Basic Zmxvd2Vy"


def test_with_compose_operators_are_named_by_the_web_alone(compose) -> None:
    ask(compose, "/grafana/")
    (_, headers) = compose[1]["grafana"][-1]
    assert headers["X-Operator"] == "ann@lab.example"


def test_with_compose_no_line_of_the_log_holds_a_query_or_a_header(compose) -> None:
    for path in (f"/cases/?mrn={SECRET}", f"/invitations/{SECRET}/", f"/flower/?x={SECRET}"):
        ask(compose, path)
    ask(compose, f"/hematovision/1?X-Amz-Signature={SECRET}", "s3-public")
    lines = [json.loads(line) for line in compose[0].log.read_text().splitlines()]
    paths = {line["request"]["uri"] for line in lines if "request" in line}
    assert {"/cases/", "/invitations/-/", "/flower/", "/hematovision/1"} <= paths
    assert SECRET not in compose[0].log.read_text()
