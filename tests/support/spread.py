"""How pytest-xdist spreads the tests over its workers (`-n auto`).

Whatever shares a costly fixture runs on one worker, one after another: those tests of a folder that need the
product, those of a module with fixtures of its own. All other tests go to whoever is free.

Groups wait for programs, the other tests for the processor alone: they run side by side.
"""

import json
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from tests.support import plugin

# The longest groups first, so that no worker is left with one of them at the end.
LONGEST = (
    "tests/faults",
    "tests/faults/test_backup.py",
    "tests/integration",
    "tests/browser",
    "tests/integration/stack/test_stack.py",
    "tests/integration/stack/test_beyond_loopback.py",
    "tests/integration/infra/caddy/test_way_in.py",
    "tests/protocol/test_official.py",
)


# What `--fast` leaves out beside whatever starts the product: what takes long for the little that a day's
# work can break in it.
SLOW = (
    *("tests/browser", "tests/faults", "tests/protocol"),
    *("tests/permissions/test_hostile_input.py", "tests/permissions/test_identifiers_shown.py"),
    *("tests/integration/infra", "tests/integration/stack", "tests/integration/workers"),
    *(f"tests/integration/webapp/{slow}" for slow in ("backup", "config", "crypto", "http", "registry")),
    *(f"tests/unit/infra/{slow}" for slow in ("compose", "demo", "images", "monitoring")),
    *("tests/unit/k8s", "tests/unit/serving/decoder"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fast", action="store_true", help="leave out what starts the product, and whatever else is slow"
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    if config.option.fast:
        slow = [item for item in items if _is_slow(item)]
        items[:] = [item for item in items if not _is_slow(item)]
        config.hook.pytest_deselected(items=slow)
        by_folder = Counter(_folder(item) for item in slow)
        _left_out().write_text(", ".join(f"{number} of {folder}" for folder, number in by_folder.items()))
    groups = {item: group_of(item) for item in items}
    yield
    if plugin.WORKER:
        items.sort(key=lambda item: _rank(groups[item]))  # after pytest-django has
        draft = _groups().with_suffix(f".{plugin.WORKER}")
        draft.write_text(json.dumps({item.nodeid: group for item, group in groups.items() if group}))
        draft.replace(_groups())  # all workers write the same


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> "Spread":
    return Spread(config, log)


class Spread(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out groups whole, in the order in which they were collected: to two thirds of the workers, until
    nothing else is left for the others."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _assign_work_unit(self, node: WorkerController) -> None:
        if int(node.gateway.id.removeprefix("gw")) >= self.numnodes * 2 // 3:
            groups = set(self._groups.values())
            if other := next((unit for unit in self.workqueue if unit not in groups), None):
                self.workqueue.move_to_end(other, last=False)
        super()._assign_work_unit(node)

    def _split_scope(self, nodeid: str) -> str:
        return self._groups.get(nodeid, nodeid)

    @cached_property
    def _groups(self) -> dict[str, str]:
        groups: dict[str, str] = json.loads(_groups().read_text())
        return groups


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.option.fast and _left_out().exists():
        terminalreporter.write_line(f"--fast left out {_left_out().read_text()}; and all of training.")


def group_of(item: pytest.Item) -> str:
    """The folder or the file of a test that shares a costly fixture with its neighbours; empty: it may run
    anywhere."""
    fixtures = _fixtures(item)
    if "stack" in fixtures:
        return _folder(item)  # one product for all of them
    costly = {"class", "module"} if _folder(item) == "tests/permissions" else {"class", "module", "package"}
    return item.nodeid.partition("::")[0] if costly & set(fixtures.values()) else ""


def _fixtures(item: pytest.Item) -> dict[str, str]:
    """The scope of each fixture of ours that a test has."""
    assert isinstance(item, pytest.Function)
    found = {name: definitions[-1] for name, definitions in item._fixtureinfo.name2fixturedefs.items()}
    return {name: fixture.scope for name, fixture in found.items() if fixture.baseid.startswith("tests")}


def _folder(item: pytest.Item) -> str:
    return "/".join(item.nodeid.split("/")[:2])


def _groups() -> Path:
    """Written by the workers, which know the tests, for the process that hands them out."""
    return plugin.HOME / "groups.json"


def _left_out() -> Path:
    """Written by whoever collects, which is not the process that reports."""
    return plugin.HOME / "left-out"


def _is_slow(item: pytest.Item) -> bool:
    return "stack" in _fixtures(item) or item.nodeid.startswith(SLOW)


def _rank(group: str) -> int:
    """Grouped tests before the others."""
    if not group:
        return len(LONGEST) + 1
    return LONGEST.index(group) if group in LONGEST else len(LONGEST)
