"""Two labs and their members, made once for the thousands of cases."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

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

T = TypeVar("T")

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


class Layer(Generic[T]):
    """What a fixture stands for, in a transaction upon that of the layer below: there while tests ask for it,
    and for no other test.

    To make one takes a quarter of a second, and thousands of tests ask for it.
    """

    def __init__(self, fixture: str, blocker: DjangoDbBlocker, make: Callable[[], T]) -> None:
        self.fixture, self._blocker, self._make = fixture, blocker, make
        self._made: tuple[transaction.Atomic, T] | None = None

    def bring(self) -> T:
        if self._made is None:
            around = _around_tests()
            with self._blocker.unblock(), override_settings(PASSWORD_HASHERS=QUICK_HASHERS):
                around.__enter__()
                self._made = around, self._make()
        return self._made[1]

    def take_away(self) -> None:
        if self._made is not None:
            around, _ = self._made
            self._made = None
            with self._blocker.unblock():
                transaction.set_rollback(True)
                around.__exit__(None, None, None)


_LAYERS: list[Layer[Any]] = []
"""Of this process, from the lowest: none until the first test of this folder."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before the transaction of the test begins."""
    wanted = [layer for layer in _LAYERS if layer.fixture in getattr(item, "fixturenames", ())]
    for layer in reversed(_LAYERS):
        if layer not in wanted:
            layer.take_away()
    for layer in wanted:
        layer.bring()


@contextmanager
def layer(fixture: str, blocker: DjangoDbBlocker, make: Callable[[], T]) -> Iterator[Layer[T]]:
    """What the fixture of that name stands for, upon all that is there."""
    made = Layer(fixture, blocker, make)
    made.bring()
    _LAYERS.append(made)
    yield made
    _LAYERS.remove(made)
    made.take_away()


@pytest.fixture(scope="package")
def _furniture(_world: World, django_db_blocker: DjangoDbBlocker) -> Iterator[Layer[Place]]:
    with layer("place", django_db_blocker, lambda: furnished(_world.alice, _world.colleagues)) as furniture:
        yield furniture


@pytest.fixture
def place(_furniture: Layer[Place], db: None, monkeypatch: pytest.MonkeyPatch) -> Place:
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
