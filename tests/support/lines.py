"""Notes which lines of the code tests run in this process, where `python -m tests --floor` asks.

A pytest plugin, before any that imports the code. Each process that runs tests leaves what it saw in a file
of a folder. slipcover's own command finds modules before pytest does, and so breaks its importlib mode.
"""

import json
import os
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from slipcover import FileMatcher, Slipcover, merge_coverage
from slipcover.importer import SlipcoverMetaPathFinder

FOLDER = "PYTEST_LINES_FOLDER"
PACKAGES = "PYTEST_LINES_PACKAGES"
LEFT_OUT = ["*/migrations/*"]


def wanted(folder: Path, packages: list[str]) -> dict[str, str]:
    """What the environment of pytest says, so that it counts."""
    return {FOLDER: str(folder), PACKAGES: ",".join(packages)}


def seen(folder: Path) -> dict[str, Any]:
    """By file: its `executed_lines`, its `missing_lines`."""
    first, *others = (json.loads(file.read_text()) for file in folder.glob("*.json"))
    for other in others:
        merge_coverage(first, other)
    return dict(first["files"])


if FOLDER in os.environ:
    _packages = os.environ[PACKAGES].split(",")
    _counting = Slipcover(source=_packages, omit=LEFT_OUT)
    _finder = SlipcoverMetaPathFinder(_counting, FileMatcher(_packages, LEFT_OUT))
    sys.meta_path.insert(sys.meta_path.index(PathFinder), _finder)

    def pytest_unconfigure() -> None:
        name = os.environ.get("PYTEST_XDIST_WORKER", "main")
        (Path(os.environ[FOLDER]) / f"{name}.json").write_text(json.dumps(_counting.get_coverage()))
