"""Decides, before Django reads its settings, where the services of this test run will listen.

A pytest plugin (`-p tests.support.plugin`), because pytest-django imports the settings before any conftest is
read. Nothing is started here: the fixtures in `tests/conftest.py` start what a test asks for.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from infra.local.config import authority
from infra.local.config.environment import environment, owner
from infra.local.config.secrets import Secrets
from infra.local.programs import outside
from tests.support.stack import free_settings

_THERE = set(outside.PLACE.glob("*"))
HOME = Path(tempfile.mkdtemp(prefix="hematovision-tests-"))
SETTINGS = free_settings(HOME)

os.environ.pop("HEMATOVISION_DATA_KEYS", None)  # of the shell's: the stack's are in a file
authority.make(SETTINGS)
os.environ.update(environment(SETTINGS, Secrets.load(HOME)))
# Tests in this process make a database, and empty it: as its owner. What runs beside it gets no such thing.
os.environ.update(owner(SETTINGS, Secrets.load(HOME)))
os.environ["HEMATOVISION_PROXIES"] = "0"  # who asks the application in this process comes by no proxy
os.environ["HEMATOVISION_S3_PUBLIC_ENDPOINT"] = os.environ["HEMATOVISION_S3_ENDPOINT"]  # Caddy may not be up
# What tests do in this process is kept out of the way of the running stack: another database of the broker,
# another bucket; pytest-django takes care of PostgreSQL.
os.environ["HEMATOVISION_BROKER_URL"] = os.environ["HEMATOVISION_BROKER_URL"].removesuffix("/0") + "/1"
os.environ["HEMATOVISION_S3_BUCKET"] = "hematovision-tests"


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(HOME, ignore_errors=True)
    # Where PostgreSQL's account cannot enter the temporary folder, data of tests lie elsewhere.
    for folder in set(outside.PLACE.glob("*")) - _THERE:
        link = folder / "of"
        if link.is_file() and link.read_text().startswith(tempfile.gettempdir()):
            shutil.rmtree(folder, ignore_errors=True)
