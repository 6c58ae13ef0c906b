"""`make compose-test`: the product as docker-compose.yml runs it, used, disturbed and rejecting for real."""

import json
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from infra.client.client import Client
from infra.demo import cells
from tests.compose.conftest import Compose
from tests.support import operator

pytestmark = pytest.mark.timeout(1800)
PER_CLASS = 8
PASSPHRASE = "--env=HEMATOVISION_PASSPHRASE=correct horse battery staple"
FIGURES = "import sys, urllib.request as u; u.urlopen(f'http://{sys.argv[1]}:9464/metrics', timeout=10)"
EXPIRE = """
import os, sys
from pathlib import Path
from infra.local.config import certificates
folder, service = Path("/secrets"), sys.argv[1]
(folder / f"{service}.pem").unlink()
certificates.SERVICE_DAYS = 0
certificates.make(folder, [service])
for path in folder.glob(f"{service}.*"):
    os.chown(path, 10001, 10001)
"""
WORKERS = "worker-interactive", "worker-bulk", "worker-events"
OURS = "migrate", "web", "relay", *WORKERS, "beat", "flower", "serving"


@contextmanager
def browser(compose: Compose) -> Iterator[httpx.Client]:
    verify = ssl.create_default_context(cafile=str(compose.ca))
    with httpx.Client(base_url=compose.url, verify=verify, trust_env=False, timeout=60) as http:
        yield http


def replace(compose: Compose, service: str) -> None:
    """Put a new container in the place of a service's, and wait until it is healthy."""
    compose("up", "--detach", "--no-deps", "--force-recreate", "--wait", service)


def backup(compose: Compose, *command: str) -> str:
    """What `hematovision backup /backups`, or another command, says in the container for it."""
    done = compose.run(
        "run", "--rm", "-T", PASSPHRASE, "backup", *(("hematovision", *command) if command else ())
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def technician(compose: Compose) -> dict[str, str]:
    made = compose.manage("create_lab", "Compose lab", "--json", "--member=tech@lab.example:technician")
    (member,) = json.loads(made)["members"]
    return dict(member)


@pytest.fixture(scope="module")
def client(compose: Compose, technician: dict[str, str]) -> Iterator[Client]:
    with Client(compose.url, technician["token"], ca=compose.ca) as client:
        yield client


@pytest.fixture(scope="module")
def pictures(compose: Compose) -> list[Path]:
    return cells.write(compose.folder / "pictures", PER_CLASS, 1)


def test_everything_it_needs_is_ready(compose: Compose) -> None:
    with browser(compose) as http:
        state = http.get("/readyz").json()
    assert state.pop("ready") is True
    assert set(state.values()) == {"ok"}


def test_the_inside_is_closed(compose: Compose) -> None:
    with browser(compose) as http:
        for path in ("/flower/", "/grafana/"):
            answer = http.get(path)
            assert answer.status_code == 302
            assert answer.headers["Location"].endswith(f"?next={path}")
        assert http.get("/metrics").status_code == 404
    assert httpx.get(compose.plain_url, trust_env=False).status_code == 308


def test_the_queues_are_shown_to_staff(compose: Compose) -> None:
    cookie, key = compose.manage("shell", "--no-imports", "--command", operator.SIGN_IN).split()
    with browser(compose) as http:
        http.cookies.set(cookie, key)
        page = http.get("/flower/workers")
    assert page.status_code == 200
    assert "interactive@" in page.text


def test_images_are_classified_though_a_worker_and_the_model_server_restart(
    compose: Compose, client: Client, pictures: list[Path]
) -> None:
    case = client.open_case("COMPOSE-1")
    sent = client.upload(case, pictures)
    compose("restart", "--timeout=80", "worker-interactive", "serving")
    finished = client.wait(case.id)
    assert len(sent.ids) == len(pictures)
    assert finished.progress["classified"] == len(pictures)


def test_every_program_tells_its_figures_to_the_inside(compose: Compose) -> None:
    compose("up", "--detach", "--no-deps", "--no-recreate", "--wait", "worker-interactive")
    for service in ("web", "relay", *WORKERS):
        compose("exec", "-T", "flower", "python", "-c", FIGURES, service)


def test_the_web_is_replaced_without_a_failed_request(compose: Compose) -> None:
    answers = []
    done = threading.Event()

    def ask() -> None:
        with browser(compose) as http:
            while not done.is_set():
                answers.append(http.get("/healthz").status_code)
                time.sleep(0.1)

    asking = threading.Thread(target=ask)
    asking.start()
    replace(compose, "web")
    done.set()
    asking.join()
    assert len(answers) > 10
    assert set(answers) == {200}


@pytest.mark.parametrize("service", OURS)
def test_containers_can_change_nothing(compose: Compose, service: str) -> None:
    container = compose("ps", "--all", "--quiet", service).strip()
    (state,) = json.loads(
        subprocess.run(["docker", "inspect", container], capture_output=True, check=True).stdout
    )
    assert state["Config"]["User"] == "10001:10001"
    assert state["HostConfig"]["ReadonlyRootfs"]
    assert state["HostConfig"]["CapDrop"] == ["ALL"]
    assert state["HostConfig"]["Memory"]


def start_web(compose: Compose, *environment: str) -> str:
    """What the web says when it is started with these settings besides its own, and stops at once."""
    settings = (f"--env={setting}" for setting in environment)
    done = compose.run("run", "--rm", "--no-deps", "-T", *settings, "web", "python", "-m", "webapp", "check")
    assert done.returncode
    return done.stderr


def test_a_wrong_setting_stops_the_container_with_one_line(compose: Compose) -> None:
    for setting in ("HEMATOVISION_PROXIES=one", "HEMATOVISION_DATABASE_CA=/nowhere.pem"):
        said = start_web(compose, setting).strip().splitlines()
        assert setting.partition("=")[0] in said[-1]
        assert "Traceback" not in "".join(said)


def test_readiness_says_that_the_model_server_is_away(compose: Compose) -> None:
    compose("stop", "serving")
    try:
        with browser(compose) as http:
            assert http.get("/readyz").json()["model"] != "ok"
    finally:
        compose("start", "serving")


def test_a_wrong_model_folder_stops_the_model_server(compose: Compose) -> None:
    done = compose.run("run", "--rm", "--no-deps", "-T", "serving", "--model-base=/nowhere")
    assert done.returncode
    assert "/nowhere is not a folder" in done.stdout + done.stderr


def test_an_expired_certificate_is_named_and_set_up_renews_it(compose: Compose) -> None:
    compose("run", "--rm", "set-up", "python", "-c", EXPIRE, "postgres")
    replace(compose, "postgres")
    with browser(compose) as http:
        answer = http.get("/readyz")
        assert answer.status_code == 503
        assert "its certificate has expired" in answer.json()["database"]

        said = compose("run", "--rm", "set-up")
        replace(compose, "postgres")
        assert "Made: postgres." in said
        assert http.get("/readyz").json()["database"] == "ok"


def test_destroyed_it_comes_back_from_its_backup(
    compose: Compose, technician: dict[str, str], client: Client, pictures: list[Path]
) -> None:
    case = client.open_case("COMPOSE-2")
    sent = client.upload(case, pictures)
    done = client.wait(case.id)
    headers = {"Authorization": f"Bearer {technician['token']}"}
    picture = f"/api/v1/images/{next(iter(sent.ids.values()))}/picture/"
    with browser(compose) as http:
        bytes_before = http.get(picture, headers=headers, follow_redirects=True).raise_for_status().content
    assert "cases" in backup(compose)
    rejected = backup(compose, "restore", "/backups", "--force")
    assert "is connected to this database from" in rejected

    compose.destroy()
    shutil.rmtree(compose.folder / "secrets")
    compose("run", "--rm", "set-up")
    backup(compose, "restore", "/backups", "--keys-to=/backups/keys")
    (compose.folder / "backups/keys/data_keys").rename(compose.folder / "secrets/data_keys")
    assert "are back" in backup(compose, "restore", "/backups")
    compose.start()

    with Client(compose.url, technician["token"], ca=compose.ca) as again, browser(compose) as http:
        assert again.case(case.id) == done
        answer = http.get(picture, headers=headers, follow_redirects=True).raise_for_status()
        assert answer.content == bytes_before
        more = again.open_case("COMPOSE-3")
        again.upload(more, pictures[:2])
        assert again.wait(more.id).progress["classified"] == 2
    compose("exec", "-T", "web", "hematovision", "audit", "verify")
