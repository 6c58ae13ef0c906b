"""A pathologist signs a critical result, tells somebody, and looks back at it from the next case."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from infra.client.client import Client
from tests.browser.conftest import Screen
from tests.browser.days import RANGES, a_case, decide_all, wait_for
from tests.browser.looking import looked_at
from tests.browser.test_review import ready


@pytest.fixture
def people(stack):
    """Of a lab of its own, whose ranges and rules nobody else sees."""
    return stack.new_lab()


@pytest.fixture
def pathologist(screen: Screen, people) -> Screen:
    screen.sign_in(people["pathologist"])
    return screen


def with_a_rule(stack, people) -> None:
    """A pathologist must see a case with a blast."""
    with Client(stack.url, people["lab_supervisor"]["token"]) as client:
        call = client.connection.call
        call("POST", "lab/rules/shipped/")
        (rule,) = (one for one in call("GET", "lab/rules/") if one["name"] == "A blast")
        call("POST", f"lab/rules/{rule['id']}/acceptance/")


def test_the_day_after(stack, people, pathologist, pictures):
    member = people["pathologist"]
    page, mrn = pathologist.page, uuid4().hex[:8]
    with Client(stack.url, member["token"]) as client:
        cases = [a_case(client, pictures[:6], mrn, f"2026-11-0{day}") for day in (1, 2)]
        for case in cases:
            decide_all(client, case)
    first, second = (f"/cases/{case}/" for case in cases)
    stack.stack.manage("shell", "--no-imports", "--command", RANGES.format(email=member["email"]))
    with_a_rule(stack, people)

    # A remark, by keyboard; the rule asks for a pathologist, who has seen it.
    page.goto(f"{stack.url}{first}review/")
    ready(page)
    page.keyboard.press("k")
    dialog = page.get_by_role("dialog", name="Remarks")
    dialog.get_by_role("group", name="Schistocytes").get_by_role("button", name="2+").press("Enter")
    dialog.get_by_label("In words").last.fill("Thick film")
    looked_at(page, "remarks")
    dialog.get_by_role("button", name="Done").press("Enter")
    expect(dialog).to_be_hidden()
    page.goto(f"{stack.url}{first}checks/")
    looked_at(page, "checks")
    page.get_by_role("button", name="I have seen it").press("Enter")
    page.goto(f"{stack.url}{first}sign/")
    page.get_by_label("Why it is signed all the same").fill("No more are on the slide.")
    page.get_by_role("button", name="Put it into the result").click()
    expect(page.get_by_label("Password")).to_be_visible()
    looked_at(page, "sign")
    page.get_by_label("Password").fill(member["password"])
    page.get_by_role("button", name="Sign with the password").click()
    page.wait_for_url(re.compile("/results?/"))
    remarks = page.get_by_role("heading", name="Remarks").locator("..")
    expect(remarks).to_contain_text(re.compile("Schistocytes.*2\\+", re.DOTALL))
    expect(remarks).to_contain_text("Thick film")
    rules = page.get_by_role("heading", name="Rules that asked for something").locator("..")
    expect(rules).to_contain_text("A blast, version 1")
    looked_at(page, "result")
    result = page.url
    for deed in ("amend", "void"):
        page.goto(f"{stack.url}{first}{deed}/")
        looked_at(page, deed)
    page.goto(result)

    # Somebody is to be told.
    expect(page.get_by_role("link", name="Critical results")).to_be_visible()
    page.get_by_role("link", name="Critical results").click()
    wait_for(page, "Blast")
    looked_at(page, "critical")
    page.goto(f"{stack.url}{first}")
    page.get_by_role("link", name=re.compile("somebody is to be told")).click()
    page.get_by_label("Who was called").fill("Dr Quillfeather")
    page.get_by_label("Role, or number called").fill("ward 3, 555-0199")
    page.get_by_label("Told, not read back").check()
    page.get_by_role("button", name="Write down").click()
    expect(page.get_by_text("stays open until the values were read back")).to_be_visible()
    looked_at(page, "calls")
    page.get_by_label("Who was called").fill("Dr Quillfeather")
    page.get_by_label("Told, and read back").check()
    page.get_by_role("button", name="Write down").click()
    expect(page.get_by_text("The call is done.")).to_be_visible()
    expect(page.get_by_role("button", name="Write down")).to_have_count(0)

    # The next specimen: what was signed then, and its cells.
    page.goto(f"{stack.url}{second}")
    page.get_by_role("link", name="Earlier results").click()
    blasts = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Blast"))
    expect(blasts).to_contain_text("100.0")
    expect(blasts.get_by_role("img")).to_have_attribute("aria-label", re.compile("From 100.0 to 100.0 %"))
    looked_at(page, "history")
    page.goto(f"{stack.url}{second}")
    page.get_by_role("button", name="Review").click()
    ready(page)
    page.keyboard.press("q")
    dialog = page.get_by_role("dialog", name="Earlier cells")
    earlier = dialog.get_by_role("region", name="Earlier result")
    expect(earlier.locator(".rv-picture")).to_have_count(6)
    expect(earlier).to_contain_text("Nov 1, 2026")
    expect(dialog.get_by_role("region", name="This case").locator(".rv-picture")).to_have_count(6)
    page.wait_for_load_state("networkidle")
    looked_at(page, "earlier-cells")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator("#gallery")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_text("Show the class's cells in the patient's earlier signed results")).to_be_visible()
