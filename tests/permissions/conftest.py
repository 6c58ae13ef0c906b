"""Two labs and their members, made once for the thousands of cases."""

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

import pytest
from django.db import transaction
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from tests.permissions.places import KIND, Place, furnished
from tests.support.people import QUICK_HASHERS, Person, person, quick_passwords
from webapp.jobs.kinds import KINDS
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


def _around_tests() -> transaction.Atomic:
    around = transaction.atomic()
    around._from_testcase = True  # type: ignore[attr-defined] # as Django marks its own around a test: a durable block may begin in it
    return around


@pytest.fixture(scope="package")
def _world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Everybody, in a transaction around those of the tests: each test is rolled back to here."""
    around = _around_tests()
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


class _Furniture:
    """What `place` names: there while tests ask for it, and for no other test.

    To make it takes a quarter of a second, and thousands of tests ask for it.
    """

    def __init__(self, world: World, blocker: DjangoDbBlocker) -> None:
        self.world, self.blocker = world, blocker
        self.place: Place | None = None

    def bring(self) -> Place:
        if self.place is None:
            self._within = _around_tests()
            with self.blocker.unblock(), override_settings(PASSWORD_HASHERS=QUICK_HASHERS):
                self._within.__enter__()
                self.place = furnished(self.world.alice, self.world.colleagues)
        return self.place

    def take_away(self) -> None:
        if self.place is not None:
            self.place = None
            with self.blocker.unblock():
                transaction.set_rollback(True)
                self._within.__exit__(None, None, None)


_FURNITURE: list[_Furniture] = []
"""Of this process: none until the first test of this folder."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before the transaction of the test begins."""
    wanted = "place" in getattr(item, "fixturenames", ())
    for furniture in _FURNITURE:
        furniture.bring() if wanted else furniture.take_away()


@pytest.fixture(scope="package")
def _furniture(_world: World, django_db_blocker: DjangoDbBlocker) -> Iterator[_Furniture]:
    furniture = _Furniture(_world, django_db_blocker)
    furniture.bring()
    _FURNITURE.append(furniture)
    yield furniture
    _FURNITURE.remove(furniture)
    furniture.take_away()


@pytest.fixture
def place(_furniture: _Furniture, db: None, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setitem(KINDS, KIND.name, KIND)
    return deepcopy(_furniture.bring())


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
