"""The Makefile in folders whose names make and shells would take apart."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

MAKEFILE = Path(__file__).parents[3] / "Makefile"
_FAKE = """#!/usr/bin/env python3
import json, os, sys
with open("calls.jsonl", "a") as calls:
    said = {name: os.environ.get(name) for name in ("UV", "UV_CACHE_DIR", "LC_ALL")}
    calls.write(json.dumps([sys.argv[0], sys.argv[1:], said]) + "\\n")
"""


class Call(NamedTuple):
    program: str
    arguments: list[str]
    said: dict[str, str]


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_FAKE)
    path.chmod(0o755)
    return path


@pytest.fixture(params=["plain", "a b", "#3; it's", 'a "b" c', "100 %d", "café", "x" * 150])
def clone(request, tmp_path: Path) -> Path:
    folder: Path = tmp_path / request.param
    program(folder / ".venv" / "bin" / "hematovision")
    shutil.copy(MAKEFILE, folder)
    for name in ("pyproject.toml", "uv.lock"):
        (folder / name).touch()
    return folder


def make(clone: Path, *arguments: str, **env: str) -> list[Call]:
    """Run make; returns what was called, as program, arguments and some of the environment."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("UV", "XDG", "MAKE"))
    }
    done = subprocess.run(
        ["make", *arguments], cwd=clone, env={**inherited, **env}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return [Call(*json.loads(line)) for line in (clone / "calls.jsonl").read_text().splitlines()]


def test_uv_beside_it_is_found_and_arguments_stay_whole(clone: Path) -> None:
    uv = program(clone / ".tools" / "bin" / "uv")
    path = os.pathsep.join(
        folder for folder in os.environ["PATH"].split(os.pathsep) if not (Path(folder) / "uv").exists()
    )
    installed, demo = make(clone, "demo", "IMAGES=my cells/'1'", "ONCE=1", PATH=path)
    assert installed[0] == str(uv)
    assert installed[1][0] == "sync"
    assert demo[1] == ["demo", "--images", "my cells/'1'", "--once"]
    assert installed[2]["LC_ALL"] == "C.UTF-8"


def test_uv_of_the_path_is_found(clone: Path) -> None:
    uv = program(clone / "its tools" / "uv")
    installed, _ = make(clone, "status", PATH=f"{uv.parent}{os.pathsep}{os.environ['PATH']}")
    assert installed[0] == str(uv)
    assert not (clone / ".tools").exists()


def test_without_a_home_downloads_are_kept_in_the_folder(clone: Path) -> None:
    program(clone / ".tools" / "bin" / "uv")
    installed, _ = make(clone, "status", HOME="/proc/nowhere")
    assert installed[2]["UV_CACHE_DIR"] == f"{clone}/.tools/cache"
