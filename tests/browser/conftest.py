"""Chromium, people at their screens, and cells for them to upload."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    StorageState,
    ViewportSize,
    expect,
    sync_playwright,
)

from infra.demo import cells
from tests.support import operator
from tests.support.stack import RunningStack

if TYPE_CHECKING:
    from playwright._impl._api_structures import SetCookieParam  # which the package does not export

CHROMIUM = os.environ.get("HEMATOVISION_CHROMIUM", "/usr/bin/chromium")
PATIENCE_MS = 30_000
WIDE: ViewportSize = {"width": 1440, "height": 900}

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    assert Path(CHROMIUM).is_file(), (
        f"These tests need Chromium, and there is none at {CHROMIUM}. "
        "Install it, or name it in HEMATOVISION_CHROMIUM."
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def pictures(tmp_path_factory) -> list[Path]:
    """One drawn cell of each class."""
    return cells.write(tmp_path_factory.mktemp("cells"), per_class=1, seed=3)


@pytest.fixture(scope="package")
def lab(stack: RunningStack) -> dict[str, dict[str, str]]:
    return stack.new_lab()


@dataclass
class Screen:
    """A person's browser. Whatever the console complains of meanwhile is in `complaints`."""

    page: Page
    url: str
    complaints: list[str]

    def sign_in(self, member: dict[str, str]) -> None:
        self.page.goto(self.url)
        self.page.get_by_label("E-mail").fill(member["email"])
        self.page.get_by_label("Password").fill(member["password"])
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.locator(".account")).to_be_visible()

    def open_case(self, accession: str) -> None:
        self.page.goto(f"{self.url}/worklist/")
        self.page.get_by_label("New case").fill(accession)
        self.page.get_by_role("button", name="Create case").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(accession)
        self.page.wait_for_load_state()  # what is dropped before its script runs is the browser's to open

    def choose(self, *files: Path) -> None:
        self.page.get_by_label("Choose images").set_input_files(list(files))

    def expect_classified(self, n: int) -> None:
        tally = self.page.locator(".tally div", has_text="Classified").locator("dd")
        expect(tally).to_have_text(f"{n}")
        expect(self.page.locator("#live")).to_have_attribute(
            "data-state", re.compile("receiving|done|needs_attention")
        )


@pytest.fixture(scope="package")
def signed_in(chromium, stack, lab) -> StorageState:
    """The cookies of the technician: checking a password is slow on purpose, so it is done once."""
    return _sign_in(chromium, stack.url, lab["technician"])


@pytest.fixture(scope="package")
def signed_in_supervisor(chromium, stack, lab) -> StorageState:
    return _sign_in(chromium, stack.url, lab["lab_supervisor"])


@pytest.fixture(scope="package")
def signed_in_pathologist(chromium, stack, lab) -> StorageState:
    return _sign_in(chromium, stack.url, lab["pathologist"])


@pytest.fixture(scope="package")
def signed_in_admin(chromium, stack, lab) -> StorageState:
    return _sign_in(chromium, stack.url, lab["admin"])


@pytest.fixture(scope="package")
def signed_in_operator(stack) -> "dict[str, list[SetCookieParam]]":
    name, value = stack.stack.manage("shell", "--no-imports", "--command", operator.SIGN_IN).split()
    return {"cookies": [{"name": name, "value": value, "url": stack.url}], "origins": []}


def _sign_in(chromium: Browser, url: str, member: dict[str, str]) -> StorageState:
    context = chromium.new_context()
    Screen(context.new_page(), url, []).sign_in(member)
    state = context.storage_state()
    context.close()
    return state


@contextmanager
def new_context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport=WIDE)
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@contextmanager
def new_screen(context: BrowserContext, url: str) -> Iterator[Screen]:
    """A screen on which the console must stay silent; whoever provokes complaints clears them."""
    page = context.new_page()
    screen = Screen(page, url, [])

    def console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            screen.complaints.append(message.text)

    page.on("console", console)
    page.on("pageerror", lambda error: screen.complaints.append(str(error)))
    yield screen
    assert screen.complaints == []


@pytest.fixture
def context(chromium) -> Iterator[BrowserContext]:
    with new_context(chromium) as context:
        yield context


@pytest.fixture
def screen(stack, context) -> Iterator[Screen]:
    with new_screen(context, stack.url) as screen:
        yield screen


@pytest.fixture
def technician(screen: Screen, signed_in) -> Screen:
    screen.page.context.add_cookies(signed_in["cookies"])
    return screen


@pytest.fixture(scope="package")
def filled_case(stack, lab, pictures, tmp_path_factory) -> str:
    """The path of a case with cells of all classes and a refused file, all of a slide, made once."""
    from infra.client.client import Client

    text = tmp_path_factory.mktemp("text") / "notes.jpg"
    text.write_text("not an image")
    with Client(stack.url, lab["technician"]["token"]) as client:
        case = client.open_case("FILLED")
        client.connection.call("POST", f"cases/{case.id}/slides/", json={"label": "S-1"})
        client.upload(case, [*pictures, text], slide=client.slides(case)["S-1"])
        client.wait(case.id)
    return f"/cases/{case.id}/"
