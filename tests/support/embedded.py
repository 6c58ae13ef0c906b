"""The embedded model server as a process of its own."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serving.contract import MODEL_NAME
from tests.support.model_client import model_client

START_S = 30.0


@dataclass
class RunningServer:
    """A started server. `logged` grows as it writes log lines."""

    process: subprocess.Popen[str]
    logged: list[dict[str, Any]] = field(default_factory=list)

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.event('listening')['port']}"

    def event(self, name: str, *, timeout_s: float = START_S, **fields: object) -> dict[str, Any]:
        """The first log line of that event with those fields; waits for it."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for line in self.logged:
                if line.items() >= {"event": name, **fields}.items():
                    return line
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"no log line {name} {fields} in {self.logged} (exit {self.process.poll()})")

    def wait_ready(self, name: str = MODEL_NAME) -> None:
        """Return once the server has a version of the model to answer with."""
        client = model_client(self.target, model_name=name)
        deadline = time.monotonic() + START_S
        while not client.ready(timeout_s=1):
            if time.monotonic() > deadline:
                raise AssertionError(f"the model server did not become ready: {self.logged}")
            time.sleep(0.05)
        client.close()


@contextmanager
def embedded_server(base: Path, *arguments: str) -> Iterator[RunningServer]:
    """Run ``python -m serving.embedded`` on a free port; it is told to stop, and must, on exit."""
    command = [sys.executable, "-m", "serving.embedded", "--model-base", str(base), "--port", "0"]
    if "--publisher" not in arguments:
        command.append("--any-version")
    process = subprocess.Popen(
        [*command, "--poll-seconds", "0.1", *arguments], stdout=subprocess.PIPE, text=True, bufsize=1
    )
    server = RunningServer(process)
    assert process.stdout is not None
    reader = threading.Thread(target=_read, args=(process.stdout, server.logged), daemon=True)
    reader.start()
    try:
        yield server
    finally:
        process.terminate()
        try:
            process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        reader.join()
        process.stdout.close()


def _read(lines: Iterator[str], into: list[dict[str, Any]]) -> None:
    into.extend(map(json.loads, lines))
