"""The whole product where other machines reach it, and by IPv6, through the command line as people use it."""

import json
import os
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from infra.local.config.settings import PREFIX
from tests.integration.stack.test_stack import HEMATOVISION, Up, environ_of, ours, run, start
from tests.support.pictures import many_pictures
from tests.support.stack import free_settings

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module", params=["127.0.0.2", "::1"])
def up(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    settings = free_settings(tmp_path_factory.mktemp("beyond") / "home")
    running = start(replace(settings, host=request.param, public_host=request.param))
    yield running
    running.process.terminate()
    running.process.wait(90)


@pytest.fixture(scope="module")
def member(up: Up) -> dict[str, str]:
    made = run(up.settings, "manage", "create_lab", "Lab", "--json", "--member=tech@lab.example:technician")
    return dict(json.loads(made.stdout)["members"][0])


@pytest.fixture(scope="module")
def browser(up: Up) -> Iterator[httpx.Client]:
    verify = ssl.create_default_context(cafile=up.settings.authority and str(up.settings.authority))
    with httpx.Client(base_url=up.settings.url, verify=verify, trust_env=False, timeout=30) as browser:
        yield browser


def test_it_says_whom_to_trust(up: Up) -> None:
    said = "".join(up.said.split())
    if up.settings.authority is None:
        assert up.settings.url.startswith("http://[::1]:")
    else:
        assert up.settings.url.startswith("https://")
        assert str(up.settings.authority) in said
        assert up.settings.authority.read_text().startswith("-----BEGIN CERTIFICATE-----")


def test_images_go_in_by_the_command_line(up: Up, member: dict[str, str], tmp_path: Path) -> None:
    """On this machine it needs no telling whom to trust; the forms it gets lead to the same host."""
    many_pictures(tmp_path, 2)
    env = {**environ_of(up.settings), f"{PREFIX}TOKEN": member["token"]}
    command = [HEMATOVISION, "upload", str(tmp_path), "--case=H-1", "--url", up.settings.url]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_people_sign_in_and_get_pictures_from_the_same_host(
    up: Up, member: dict[str, str], browser: httpx.Client
) -> None:
    page = browser.get("/accounts/login/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token
    fields = {"login": member["email"], "password": member["password"], "csrfmiddlewaretoken": token[1]}
    signed_in = browser.post("/accounts/login/", data=fields, headers={"Origin": up.settings.url})
    assert signed_in.status_code == 302, signed_in.text
    secure = up.settings.scheme == "https"
    assert {name.startswith("__Host-") for name in browser.cookies} == {secure}
    bearer = {"Authorization": f"Bearer {member['token']}"}
    case = browser.get("/api/v1/cases/", headers=bearer).json()["results"][0]
    images = browser.get(f"/api/v1/cases/{case['id']}/images/", headers=bearer).json()["results"]
    led = browser.get(f"/api/v1/images/{images[0]['id']}/picture/", headers=bearer)
    store = urlsplit(led.headers["Location"])
    assert (store.scheme, store.hostname) == (up.settings.scheme, up.settings.host)
    assert browser.get(led.headers["Location"]).status_code == 200
    directives = map(str.split, page.headers["Content-Security-Policy"].split(";"))
    policy = {name: set(sources) for name, *sources in directives}  # which are in no order
    allowed = "http:" if ":" in up.settings.host else f"{store.scheme}://{store.netloc}"
    assert policy["img-src"] == {"'self'", allowed}


@pytest.mark.parametrize("service", ["web", "s3-public"])
def test_a_hundred_half_sent_posts_keep_nobody_waiting(up: Up, browser: httpx.Client, service: str) -> None:
    port = up.settings.port(service)
    half = b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx"
    browser.get("/healthz")
    with ExitStack() as held:
        for _ in range(100):
            client = held.enter_context(socket.create_connection((up.settings.host, port), timeout=20))
            if up.settings.authority:
                trusting = ssl.create_default_context(cafile=str(up.settings.authority))
                client = held.enter_context(trusting.wrap_socket(client, server_hostname=up.settings.host))
            client.sendall(half)
        for _ in range(5):
            began = time.monotonic()
            assert browser.get("/healthz").status_code == 200
            assert time.monotonic() - began < 5  # half a request is hung up after 10 s


def test_only_the_way_in_listens_there(up: Up) -> None:
    there = {
        (process.environ()[f"{PREFIX}PROGRAM"], connection.laddr.port)
        for process in ours(up.home)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.ip == up.settings.host
    }
    assert there == {("caddy", up.settings.web_port), ("caddy", up.settings.port("s3-public"))}


def test_the_webs_socket_is_for_us_alone(up: Up) -> None:
    assert (up.home / "run").stat().st_mode & 0o077 == 0


def test_no_log_holds_a_signature_or_an_invitation(up: Up, browser: httpx.Client) -> None:
    browser.get("/invitations/planted-secret-of-an-invitation/")
    browser.post("/invitations/planted-secret-of-an-invitation/")
    browser.get("/cases/?before=planted-query")
    for log in (up.home / "log").iterdir():
        text = log.read_text(errors="replace")
        assert "planted-" not in text, log.name
        assert "X-Amz-Signature" not in text, log.name
    assert "/invitations/-/" in (up.home / "log" / "web.log").read_text()


@pytest.mark.parametrize(
    ("setting", "value"),
    [("CERTIFICATE", "/nowhere.pem"), ("HOST", "https://lab"), ("PLAIN_HTTP", "perhaps")],
)
def test_what_cannot_be_is_rejected_in_one_line(tmp_path: Path, setting: str, value: str) -> None:
    env = {**environ_of(free_settings(tmp_path / "var")), PREFIX + setting: value}
    refused = subprocess.run([HEMATOVISION, "up"], env=env, capture_output=True, text=True, timeout=30)
    assert refused.returncode == 2
    assert PREFIX + setting in refused.stderr
    assert "Traceback" not in refused.stderr + refused.stdout
    assert not os.path.exists(tmp_path / "var" / "run" / "settings.json")  # noqa: PTH110
