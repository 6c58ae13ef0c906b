"""The second reader: asked, reads blinded, finishes, sees how far both agree; a disagreement is settled."""

import re

import pytest
from playwright.sync_api import Page, expect

from infra.client.client import Client
from tests.browser.conftest import Screen, new_context, new_screen
from tests.browser.looking import looked_at
from tests.browser.test_review import TALL, N, case, drawn, expect_saved, expect_undecided, ready, to_a_class

__all__ = ["case", "drawn"]


@pytest.fixture
def colleague(stack, chromium, signed_in_pathologist):
    with new_context(chromium) as context:
        context.add_cookies(signed_in_pathologist["cookies"])
        with new_screen(context, stack.url) as screen:
            screen.page.set_viewport_size(TALL)
            yield screen


def decide_all(page: Page) -> None:
    for _ in range(3 * N):
        if page.locator(".rv-progress").inner_text() == "All decided":
            break
        page.keyboard.press("Enter")
    expect_undecided(page, 0)
    expect_saved(page)


def test_the_second_reader_s_day(stack, lab, technician: Screen, colleague: Screen, case):
    first, second = technician.page, colleague.page
    first.set_viewport_size(TALL)
    first.goto(case)
    first.get_by_role("button", name="Review").click()
    ready(first)
    to_a_class(first)
    first.keyboard.press("b")  # one cell that the other will call otherwise
    decide_all(first)

    # Asked by name; from now on they see nothing of the first reading.
    second.goto(f"{case}checks/")
    second.get_by_label("Ask").select_option(index=1)
    second.get_by_role("button", name="Ask for a second reader").click()
    expect(second.get_by_text("You read this case blinded")).to_be_visible()
    second.goto(f"{stack.url}/notifications/")
    expect(second.get_by_text("You are asked to read a case second")).to_be_visible()
    second.goto(f"{case}agreement/")
    expect(second.get_by_text("There is nothing to compare yet")).to_be_visible()

    # Reads, remarks, finishes.
    second.goto(f"{case}review/")
    ready(second)
    expect_undecided(second, N)
    second.keyboard.press("k")
    dialog = second.get_by_role("dialog", name="Remarks")
    schistocytes = dialog.get_by_role("group", name="Schistocytes")
    schistocytes.get_by_role("button", name="2+").click()
    expect(schistocytes.get_by_role("button", name="2+")).to_have_attribute("aria-pressed", "true")
    dialog.get_by_label("In words").last.fill("Thick film")
    dialog.get_by_role("button", name="Done").click()
    expect(dialog).to_be_hidden()
    second.locator("#gallery").focus()
    decide_all(second)
    second.get_by_role("button", name="I have finished my reading").click()
    expect(second.get_by_text("The second reader has finished")).to_be_visible()
    expect(second.get_by_text("Schistocytes 2+")).to_be_visible()
    expect(second.get_by_text("Thick film")).to_be_visible()

    # The first reader finishes, too: both are compared.
    first.goto(f"{case}checks/")
    expect(first.get_by_text("Schistocytes")).to_have_count(0)
    first.get_by_role("button", name="The first reading is finished").click()
    first.get_by_role("link", name="Look at them").click()
    expect(first.get_by_text(f"{N - 1} of {N} cells")).to_be_visible()
    expect(first.locator(".differing li")).to_have_count(1)
    picture = first.locator(".differing img")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0

    # Both settle it together: one proposes, the other confirms.
    first.locator(".differing select").select_option(label="Basophil")
    first.get_by_role("button", name="Propose what is chosen").click()
    expect(first.get_by_text("1 cell is proposed.")).to_be_visible()
    second.goto(f"{case}agreement/")
    expect(second.locator(".differing li")).to_contain_text(re.compile("Proposed\\s*Basophil"))
    looked_at(second, "agreement")
    second.get_by_role("button", name="Confirm all").focus()
    second.keyboard.press("Enter")
    expect(second.get_by_text("1 cell is settled.")).to_be_visible()
    expect(second.locator(".differing li")).to_contain_text(re.compile("Settled\\s*Basophil"))
    first.goto(f"{case}agreement/")
    expect(first.get_by_text("All are settled.")).to_be_visible()
    with Client(stack.url, lab["technician"]["token"]) as client:
        found = client.connection.call("GET", f"cases/{case.rstrip('/').rpartition('/')[2]}/agreements/")
    assert "basophil" in str(found)
