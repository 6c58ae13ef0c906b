"""Decides, before Django reads its settings, where the services of this test run will listen.

A pytest plugin (`-p tests.support.plugin`), because pytest-django imports the settings before any conftest is
read. Nothing is started here: the fixtures in `tests/conftest.py` start what a test asks for.

With pytest-xdist this is decided once, by the process that hands out the tests. Its workers inherit it; each
has its own database (pytest-django makes it), its own bucket and its own database of the broker.
"""

import atexit
import gc
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.config import authority
from infra.local.config.environment import environment, owner
from infra.local.config.secrets import Secrets
from infra.local.config.settings import Settings
from infra.local.programs import outside_folder
from tests.support.run import Run
from tests.support.stack import free_settings

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
_INHERITED = "PYTEST_HEMATOVISION_HOME"
_BROKER_DATABASES = 16  # of which the first is not for tests

if WORKER:
    HOME = Path(os.environ[_INHERITED])
    SETTINGS = Settings.of_running(HOME)
    RUN = Run(HOME)
else:
    HOME = Path(tempfile.mkdtemp(prefix="hematovision-tests-"))
    SETTINGS = free_settings(HOME)
    (HOME / "run").mkdir(mode=0o700)
    SETTINGS.save()
    RUN = Run(HOME)
    RUN.begin()
    os.environ[_INHERITED] = str(HOME)
    # All workers must find the same tests in the same order, where parameters are sets, too.
    os.environ.setdefault("PYTHONHASHSEED", str(random.randrange(2**32)))
    os.environ.pop("HEMATOVISION_DATA_KEYS", None)  # of the shell's: the stack's are in a file
    authority.make(SETTINGS)

_NUMBER = int(WORKER.removeprefix("gw") or 0)
os.environ.update(environment(SETTINGS, Secrets.load(HOME)))
# Tests in this process make a database, and empty it: as its owner. What runs beside it gets no such thing.
os.environ.update(owner(SETTINGS, Secrets.load(HOME)))
os.environ["HEMATOVISION_PROXIES"] = "0"  # who asks the application in this process comes by no proxy
os.environ["HEMATOVISION_S3_PUBLIC_ENDPOINT"] = os.environ["HEMATOVISION_S3_ENDPOINT"]  # Caddy may not be up
# What tests do in this process is kept out of the way of the other workers.
_BROKER = os.environ["HEMATOVISION_BROKER_URL"].removesuffix("/0")
os.environ["HEMATOVISION_BROKER_URL"] = f"{_BROKER}/{1 + _NUMBER % (_BROKER_DATABASES - 1)}"
os.environ["HEMATOVISION_S3_BUCKET"] = f"hematovision-tests-{_NUMBER}"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Find the tests without looking for garbage meanwhile, and never look through them later.

    Requests leave much that is garbage at once: to look for it seldom takes a twentieth off the tests.
    """
    gc.disable()
    yield
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
    gc.enable()


@pytest.hookimpl(tryfirst=True)  # pytest-xdist has an answer, too
def pytest_xdist_auto_num_workers() -> int:
    """Three for each core: tests wait much for other programs. Each needs 2 GB or so."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(3 * cores, _BROKER_DATABASES - 1)


def pytest_unconfigure(config: pytest.Config) -> None:
    atexit.register(gc.freeze)  # as in what the tests are of: see webapp.config.environment
    if WORKER:
        return
    RUN.end()
    shutil.rmtree(HOME, ignore_errors=True)
    # Where PostgreSQL's account cannot enter the temporary folder, data of tests lie elsewhere.
    factory: pytest.TempPathFactory = config._tmp_path_factory  # type: ignore[attr-defined]
    ours = (f"{HOME}{os.sep}", f"{factory.getbasetemp()}{os.sep}")
    for folder in outside_folder.PLACE.glob("*"):
        link = folder / "of"
        if link.is_file() and link.read_text().startswith(ours):
            shutil.rmtree(folder, ignore_errors=True)
