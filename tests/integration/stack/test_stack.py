"""The one-machine stack itself: how it starts, what it shows, what it survives, how it ends."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
import redis

from infra.local.config import authority
from infra.local.config.secrets import Secrets
from infra.local.config.settings import BLOCK, LOOPBACK, PREFIX, Settings
from infra.local.lifeline import PROGRAM, die_with_parent
from infra.local.programs.catalogue import all_programs
from infra.local.stack import Stack, states
from tests.support import open_ports
from tests.support.stack import free_settings

HEMATOVISION = str(Path(sys.executable).with_name("hematovision"))
PROGRAMS = {
    *("postgres", "valkey", "seaweedfs", "serving"),
    *("caddy", "web", "relay", "worker-interactive", "worker-bulk", "worker-events", "beat", "flower"),
}


@dataclass
class Up:
    """`hematovision up` in a process of its own."""

    settings: Settings
    process: "subprocess.Popen[bytes]"
    said: str

    @property
    def home(self) -> Path:
        return self.settings.home


def environ_of(settings: Settings) -> dict[str, str]:
    ours = {
        "HOME": str(settings.home),
        "HOST": settings.host,
        "PUBLIC_HOST": settings.public_host,
        "WEB_PORT": str(settings.web_port),
        "BASE_PORT": str(settings.base_port),
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    # Of a site whose proxy must not be asked for what is on this machine, in no language.
    site = {"http_proxy": "http://127.0.0.1:9", "no_proxy": "10.0.0.0/8", "NO_PROXY": ""}
    plain = {"LC_ALL": "POSIX"} if sys.prefix.isascii() else {}  # else Python finds no package of ours
    return {**inherited, **site, **plain, **{PREFIX + name: value for name, value in ours.items()}}


def run(settings: Settings, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [HEMATOVISION, *arguments],
        env=environ_of(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )


def start(settings: Settings) -> Up:
    """Run `up` and return once it says that it is ready."""
    output = settings.home.parent / f"up-{uuid.uuid4().hex}.txt"
    with output.open("w") as file:
        process = subprocess.Popen(
            [HEMATOVISION, "up"],
            env=environ_of(settings),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            preexec_fn=partial(die_with_parent, os.getpid()),  # should this worker die
        )
    assert eventually(lambda: "Ctrl-C" in output.read_text() or process.poll() is not None, 240)
    said = output.read_text()
    assert settings.url in said, said
    return Up(settings, process, said)


def ours(home: Path) -> list[psutil.Process]:
    """Every process that belongs to the stack in `home`, whoever its parent is."""
    found = []
    for process in psutil.process_iter():
        try:
            environ = process.environ()
        except psutil.Error:
            continue
        if environ.get(f"{PREFIX}HOME") == str(home) and PROGRAM in environ:
            found.append(process)
    return found


def eventually(check: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if check():
            return True
        time.sleep(0.1)
    return False


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    # A path with spaces and with what means something elsewhere, longer than a Unix socket's may be.
    home = tmp_path_factory.mktemp("home") / ("café #3; it's 100 %d of a name that does not end " * 3).strip()
    running = start(free_settings(home))
    yield running
    running.process.terminate()
    running.process.wait(90)


def test_every_program_runs(up: Up) -> None:
    assert eventually(lambda: all(state.state == "RUNNING" for state in states(up.home)), 20)
    assert {state.name for state in states(up.home)} == PROGRAMS
    shown = run(up.settings, "status")
    assert shown.returncode == 0
    assert all(program in shown.stdout for program in PROGRAMS)
    assert up.settings.url in shown.stdout


def test_a_second_up_says_that_it_is_running(up: Up) -> None:
    second = run(up.settings, "up")
    assert second.returncode == 0
    assert f"already running at {up.settings.url}" in " ".join(second.stdout.split())
    assert eventually(lambda: answers(f"{up.settings.url}/healthz"), 20)


def test_nothing_listens_beyond_loopback(up: Up) -> None:
    addresses = {
        connection.laddr
        for process in ours(up.home)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert all(ip_address(address.ip.removeprefix("::ffff:")).is_loopback for address in addresses), addresses


def test_secrets_are_for_their_owner_alone(up: Up) -> None:
    assert up.home.stat().st_mode & 0o777 == 0o700
    assert (up.home / "secrets.json").stat().st_mode & 0o777 == 0o600
    secret = re.findall(r'"([0-9a-f]{64})"', (up.home / "secrets.json").read_text())
    assert len(secret) >= 4
    for process in ours(up.home):
        arguments = " ".join(process.cmdline())
        assert not any(value in arguments for value in secret), f"{process.name()} shows a secret to everyone"


# What a port may answer a caller who knows no secret, in HTTP, gRPC and its own protocol; all others nothing.
# The web is there for everybody, and tests/permissions asks each of its pages.
OPEN = {
    "s3": {"GET /status", "GET /healthz"},
    "flower": {"GET /healthcheck"},
}


def listening(home: Path) -> set[int]:
    return {
        connection.laddr.port
        for process in ours(home)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }


@pytest.mark.timeout(400)
def test_every_door_is_locked(up: Up) -> None:
    names = {port: name for name, port in {"web": up.settings.web_port, **up.settings.ports}.items()}
    assert eventually(lambda: set(names) == listening(up.home), 60)
    ports = listening(up.home)
    with ThreadPoolExecutor(len(ports)) as pool:
        told = pool.map(partial(open_ports.answers, ca=authority.ca(up.settings)), ports)
        found = dict(zip(map(names.get, ports), told, strict=True))
    assert not [answer for answer in found.pop("web") if answer.startswith(("gRPC", *open_ports.RESP))]
    assert {name: given for name, given in found.items() if given} == OPEN


def test_database_and_broker_ask_for_their_passwords(up: Up) -> None:
    database = Stack(up.settings).environment[f"{PREFIX}DATABASE_URL"]
    for role in ("hematovision", "hematovision_app"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(re.sub(r"\w+:\w+@", f"{role}:wrong@", database))
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):
        psycopg.connect(re.sub(r"\w+:\w+@", "postgres@", database))
    with redis.Redis(port=up.settings.port("valkey")) as broker, pytest.raises(redis.AuthenticationError):
        broker.ping()


def test_the_stores_own_shell_gets_nowhere_without_its_certificate(up: Up) -> None:
    """`weed shell` deletes what is under object lock, changes policies, shows what was decrypted."""
    master, filer = (
        f"{LOOPBACK}:{up.settings.port(f'seaweedfs-{part}')}.{up.settings.port(f'seaweedfs-{part}-grpc')}"
        for part in ("master", "filer")
    )

    def said(env: dict[str, str]) -> str:
        shell = [str(Path(sys.executable).with_name("weed")), "shell", f"-master={master}", f"-filer={filer}"]
        with subprocess.Popen(
            shell, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            try:
                told: str = process.communicate("s3.bucket.list\nexit\n", timeout=10)[0]
            except subprocess.TimeoutExpired:
                process.kill()
                told = process.communicate()[0]
            return told

    plain = {"PATH": os.environ["PATH"], "HOME": str(up.home.parent)}
    assert "hematovision" in said(
        {**plain, **all_programs(up.settings, Secrets.load(up.home))["seaweedfs"].env}
    )
    assert "hematovision" not in said(plain)


def sockets(up: Up) -> set[Path]:
    """Paths on which programs of the stack listen."""
    return {
        Path(str(connection.laddr))
        for process in ours(up.home)
        for connection in process.net_connections("unix")
        if connection.laddr
    }


def test_sockets_are_in_folders_or_of_modes_that_keep_others_out(up: Up) -> None:
    found = sockets(up)
    assert len(found) > 2  # supervisord's and the store's
    for path in found:
        kept_out = not path.parent.stat().st_mode & 0o077
        assert kept_out or not path.stat().st_mode & 0o077, path
    # Whoever takes a name in /tmp first would be spoken to in plain text.
    assert not [path for path in found if path.parent == Path("/tmp") and "-grpc-" not in path.name]  # noqa: S108


@pytest.mark.parametrize("program", ["caddy", "web", "postgres", "worker-bulk", "seaweedfs"])
def test_a_killed_program_is_back_within_seconds(up: Up, program: str) -> None:
    (before,) = [state for state in states(up.home) if state.name == program]
    psutil.Process(before.pid).kill()

    def back() -> bool:
        (now,) = [state for state in states(up.home) if state.name == program]
        return now.state == "RUNNING" and now.pid != before.pid

    assert eventually(back, 15)
    assert eventually(lambda: answers(f"{up.settings.url}/readyz"), 30)
    # No child of the killed one stays beside the new one's; it may end what it has in hand.

    def alone() -> bool:
        leaders = {state.pid for state in states(up.home) if state.name == program}
        try:
            family = {p.pid for leader in leaders for p in psutil.Process(leader).children(recursive=True)}
            return {p.pid for p in ours(up.home) if p.environ().get(PROGRAM) == program} <= family | leaders
        except psutil.NoSuchProcess:  # one just ended: look again
            return False

    assert eventually(alone, 20)


def test_logs_are_at_hand(up: Up) -> None:
    shown = run(up.settings, "logs", "postgres")
    assert "database system is ready" in shown.stdout
    assert run(up.settings, "logs", "../secrets").returncode == 2


def test_django_commands_run_beside_it(up: Up) -> None:
    done = run(up.settings, "manage", "migrate", "--check")
    assert done.returncode == 0, done.stdout


def test_down_leaves_nothing_and_the_next_start_finds_everything(up: Up) -> None:
    made = run(up.settings, "manage", "create_lab", "Kept", "--json")
    assert made.returncode == 0, made.stdout
    listening = sockets(up)
    assert run(up.settings, "down").returncode == 0
    assert up.process.wait(5) == 0
    assert ours(up.home) == []
    assert run(up.settings, "status").returncode == 3
    assert "not running" in run(up.settings, "down").stdout
    # Another account, to which the ports go next, could not remove what lies in /tmp.
    assert not [path for path in listening if path.parent == Path("/tmp") and path.exists()]  # noqa: S108
    up.process = start(up.settings).process
    assert "already" in run(up.settings, "manage", "create_lab", "Kept").stdout


@pytest.mark.parametrize("victim", ["up", "supervisord", "both"])
def test_when_the_one_above_is_killed_nothing_is_orphaned(up: Up, victim: str) -> None:
    if up.process.poll() is not None:
        up.process = start(up.settings).process
    parent = psutil.Process(up.process.pid)
    (supervisor,) = [child for child in parent.children() if "supervisord" in " ".join(child.cmdline())]
    # Above first: it would see the other one end, and clean up.
    for process, name in ((parent, "up"), (supervisor, "supervisord")):
        if victim in (name, "both"):
            process.send_signal(signal.SIGKILL)
    assert eventually(lambda: ours(up.home) == [], 60), ours(up.home)
    assert up.process.wait(10) != 0


@pytest.mark.parametrize(("service", "setting"), [("web", "WEB_PORT"), ("valkey", "BASE_PORT")])
def test_a_taken_port_is_named_with_what_moves_it(tmp_path: Path, service: str, setting: str) -> None:
    settings = free_settings(tmp_path / "var")
    with socket.create_server((LOOPBACK, settings.port(service))):
        refused = run(settings, "up")
    assert refused.returncode == 2
    assert str(settings.port(service)) in refused.stdout
    assert PREFIX + setting in refused.stdout
    assert ours(settings.home) == []


@pytest.mark.parametrize("value", ["eighty", "80", "70000", "-1", "1e4"])
def test_a_bad_port_is_rejected(tmp_path: Path, value: str) -> None:
    settings = free_settings(tmp_path / "var")
    env = {**environ_of(settings), f"{PREFIX}WEB_PORT": value}
    refused = subprocess.run([HEMATOVISION, "up"], env=env, capture_output=True, text=True, timeout=30)
    assert refused.returncode == 2
    assert value in refused.stderr
    assert len(BLOCK) == len(set(BLOCK))
