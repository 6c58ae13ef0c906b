"""The whole product, or its services alone, on free ports in a folder of its own, for tests."""

import fcntl
import json
import os
import random
import signal
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil

from infra.client.client import Client
from infra.local.config.ports import check_free
from infra.local.config.settings import BLOCK, PREFIX, Settings
from infra.local.errors import StackError
from infra.local.stack import Stack

ROLES = (
    "technician",
    "pathologist",
    "lab_supervisor",
    "clinician",
    "researcher",
    "data_scientist",
    "learner",
    "admin",
)


# One port that the store derives lies 10,000 above: below those that the kernel gives to connections.
_PORTS = range(20_000, 22_700 - len(BLOCK), len(BLOCK) + 1)
_taken: list[IO[str]] = []


def free_settings(home: Path) -> Settings:
    """Settings for a stack in `home` on free ports, which no other test gets while this process lives."""
    locks = Path(tempfile.gettempdir()) / f"hematovision-ports-{os.getuid()}"
    locks.mkdir(mode=0o700, exist_ok=True)
    for first in random.sample(_PORTS, len(_PORTS)):
        settings = Settings(home=home, web_port=first, base_port=first + 1)
        lock = (locks / f"{first}").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            check_free(settings)
        except (BlockingIOError, StackError):
            lock.close()
            continue
        _taken.append(lock)
        return settings
    raise StackError(f"None of the ports from {_PORTS[0]} on is left for tests.")


def beside(variables: Mapping[str, str], **more: str) -> dict[str, str]:
    """Variables for a process that works beside a stack: nothing that tests in this process are told."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {**inherited, **variables, **more}


class RunningStack:
    """A running stack, what a test does to it, and people who use it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.url = stack.settings.url
        self.home = stack.settings.home

    @property
    def environment(self) -> dict[str, str]:
        """Variables for a process that works beside the stack."""
        return self.stack.environment

    def pid(self, program: str) -> int:
        (pid,) = [state.pid for state in self.stack.supervisor.states() if state.name == program]
        return pid

    def kill(self, program: str, signum: int = signal.SIGKILL) -> int:
        """Send a signal to a program's own process, children aside; returns which it was."""
        process = psutil.Process(self.pid(program))
        process.send_signal(signum)
        return process.pid

    def stop(self, program: str) -> None:
        self.stack.supervisor.stop(program)

    def start(self, program: str) -> None:
        self.stack.supervisor.start(program)

    def log(self, program: str) -> str:
        return (self.home / "log" / f"{program}.log").read_text(errors="replace")

    def new_lab(self, name: str = "") -> dict[str, dict[str, str]]:
        """A lab that no other test uses: its members by role, each with e-mail, password and token."""
        name = name or f"Lab {uuid.uuid4().hex[:8]}"
        domain = f"{name.split()[1]}.example"
        members = [f"--member={role}@{domain}:{role}" for role in ROLES]
        made = json.loads(self.stack.manage("create_lab", name, "--json", *members))
        return {member["role"]: member for member in made["members"]}

    @contextmanager
    def client(self, role: str = "technician") -> Iterator[Client]:
        """An API client of somebody in a lab of their own."""
        with Client(self.url, self.new_lab()[role]["token"]) as client:
            yield client
