"""Two labs and their members, made once for the thousands of cases."""

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

import pytest
from django.db import transaction
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from tests.support.people import QUICK_HASHERS, Person, person, quick_passwords
from webapp.labs.models import Lab
from webapp.labs.permissions import Role

__all__ = ["quick_passwords"]

CASES_RUN: Counter[str] = Counter()
"""Requests whose answer was held against the tables: of `the API`, and of `pages`."""


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["permission cases"] = dict(CASES_RUN)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node) -> None:
    """Add what a worker of pytest-xdist did."""
    CASES_RUN.update(getattr(node, "workeroutput", {}).get("permission cases", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if CASES_RUN:
        parts = " and ".join(f"{number} of {what}" for what, number in sorted(CASES_RUN.items()))
        terminalreporter.write_line(f"{CASES_RUN.total()} permission cases: {parts}")


@dataclass
class World:
    alice: Person
    charlie: Person
    colleagues: dict[Role, Person]


@pytest.fixture(scope="package")
def _world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Everybody, in a transaction around those of the tests: each test is rolled back to here."""
    around = transaction.atomic()
    around._from_testcase = True  # type: ignore[attr-defined] # as Django marks its own around a test: a durable block may begin in it
    with django_db_blocker.unblock(), override_settings(PASSWORD_HASHERS=QUICK_HASHERS):
        around.__enter__()
        northern, southern = (Lab.objects.create(name=f"{name} lab") for name in ("Northern", "Southern"))
        world = World(
            person(northern, "Alice", Role.TECHNICIAN).signed_in(),
            person(southern, "Charlie", Role.ADMIN).signed_in(),
            {role: person(northern, f"Some.{role.value}", role).signed_in() for role in Role},
        )
    yield world
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        around.__exit__(None, None, None)


@pytest.fixture
def world(_world: World, db: None) -> World:
    """Everybody, for a test to change."""
    return deepcopy(_world)


@pytest.fixture
def alice(world: World) -> Person:
    """Works in the Northern lab."""
    return world.alice


@pytest.fixture
def charlie(world: World) -> Person:
    """Runs the Southern lab."""
    return world.charlie


@pytest.fixture
def colleagues(world: World) -> dict[Role, Person]:
    """Of Alice: one in each role."""
    return world.colleagues
