"""The Dockerfiles in infra/images."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

IMAGES = Path(__file__).parents[4] / "infra" / "images"
DOCKERFILES = {path.name.removesuffix(".Dockerfile"): path for path in IMAGES.glob("*.Dockerfile")}
ROLES = sorted(DOCKERFILES.keys() - {"common"})


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, *DOCKERFILES.values()], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_there_is_one_for_each_role() -> None:
    assert ROLES == ["serving", "training", "web", "worker"]


@pytest.mark.parametrize("role", ROLES)
def test_what_ships_starts_from_the_runtime_and_runs_as_nobody_we_know(role: str) -> None:
    _, _, final = DOCKERFILES[role].read_text().rpartition("FROM ")
    assert final.startswith("${RUNTIME_IMAGE}\n")
    assert not re.search(r"^RUN", final, re.MULTILINE)
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)


@pytest.mark.parametrize("role", ROLES)
def test_dependencies_are_locked_and_tensorflow_is_for_training_alone(role: str) -> None:
    (sync,) = re.findall(r"uv sync (.*)", DOCKERFILES[role].read_text())
    assert "--locked" in sync
    exported = subprocess.run(
        [os.environ.get("UV", "uv"), "export", "--quiet", "--no-emit-project", *sync.split()],
        cwd=IMAGES.parents[1],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    packages = set(re.findall(r"^([\w.-]+)==", exported, re.MULTILINE))
    assert ("tensorflow" in packages) == (role == "training")
    assert "django" not in packages or role != "serving"
    assert ("opentelemetry-sdk" in packages) == (role in ("web", "worker"))
    assert exported.count("--hash=sha256:") >= len(packages)


def test_bases_and_the_installer_are_pinned() -> None:
    (base,) = re.findall(r"^ARG PYTHON_IMAGE=(.*)$", DOCKERFILES["common"].read_text(), re.MULTILINE)
    assert re.fullmatch(r"python:\d+\.\d+\.\d+-slim-\w+", base)
    (postgres,) = re.findall(r"^ARG POSTGRES_IMAGE=(.*)$", DOCKERFILES["web"].read_text(), re.MULTILINE)
    assert postgres in (IMAGES.parents[1] / "docker-compose.yml").read_text()  # no older than its server
    assert postgres.endswith(base.rpartition("-")[2])  # programs of one Debian run on the other
    installer = (IMAGES / "uv.txt").read_text()
    assert re.search(r"^uv==\S+ \\\n(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+\Z", installer, re.MULTILINE)
