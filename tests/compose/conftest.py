"""docker-compose.yml brought up for real, in a project of its own, and taken down with all it stored."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = "hematovision-test"
HTTP, HTTPS, STORE = 18080, 18443, 18333
START_S = 900


class Compose:
    """`docker compose` with the test's own project, ports and secrets."""

    url = f"https://localhost:{HTTPS}"
    plain_url = f"http://localhost:{HTTP}"

    def __init__(self, folder: Path, *, offline: bool) -> None:
        self.folder = folder
        self.ca = folder / "root.crt"
        files = [ROOT / "docker-compose.yml", *([ROOT / "tests/compose/offline.yml"] if offline else [])]
        self._command = ["docker", "compose", f"--project-name={PROJECT}", f"--env-file={os.devnull}"]
        self._command += [f"--file={file}" for file in files]
        self._environment = {
            **os.environ,
            "COMPOSE_PROFILES": "cpu",
            "HEMATOVISION_DOMAIN": "localhost",
            "HEMATOVISION_HTTP_PORT": str(HTTP),
            "HEMATOVISION_HTTPS_PORT": str(HTTPS),
            "HEMATOVISION_STORE_PORT": str(STORE),
            "HEMATOVISION_SECRETS": str(folder / "secrets"),
            "HEMATOVISION_BACKUPS": str(folder / "backups"),
        }

    def __call__(self, *arguments: str, check: bool = True) -> str:
        """Run a command and return all that it printed."""
        done = self.run(*arguments)
        assert not (check and done.returncode), f"compose {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._command, *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    def start(self) -> None:
        """Have everything up and healthy."""
        done = self.run("up", "--detach", "--wait", f"--wait-timeout={START_S}")
        if done.returncode:
            pytest.fail(done.stderr + self("ps", "--all") + self("logs", "--tail=30"))
        self("cp", "caddy:/data/caddy/pki/authorities/local/root.crt", str(self.ca))

    def destroy(self) -> None:
        """Stop it, and forget all that it stored."""
        self("--profile=*", "down", "--volumes", "--timeout=80")

    def manage(self, *arguments: str) -> str:
        """What a management command prints, run beside the product."""
        done = self.run("exec", "-T", "web", "hematovision", "manage", *arguments)
        assert not done.returncode, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    """Everything, healthy. COMPOSE_TEST_OFFLINE=1 takes no container image from a registry."""
    compose = Compose(
        tmp_path_factory.mktemp("compose"), offline=os.environ.get("COMPOSE_TEST_OFFLINE") == "1"
    )
    try:
        compose("run", "--rm", "set-up")
        compose.start()
        yield compose
    finally:
        compose.destroy()
