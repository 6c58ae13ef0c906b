"""The supervisor's day: what is overdue and whose it is, what is normal and which rules hold in the lab, a
second reader, and the critical results of which nobody was told."""

import re

import pytest
from playwright.sync_api import expect

from infra.client.client import Client
from tests.browser.conftest import Screen, new_context, new_screen
from tests.browser.days import RANGES, a_case, decide_all, sign, wait_for
from tests.browser.looking import looked_at

PATHOLOGIST, TECHNICIAN = "Pathologist", "Technician"  # as `stack.new_lab` names them
LATE = """
from datetime import timedelta
from django.utils import timezone
from django_scopes import scopes_disabled
from webapp.cases.models import Case
with scopes_disabled():
    Case.objects.filter(id={case!r}).update(created_at=timezone.now() - timedelta(hours=9))
"""
UNTOLD = """
from datetime import timedelta
from django.utils import timezone
from django_scopes import scopes_disabled
from webapp.results.models import CriticalCall
with scopes_disabled():
    CriticalCall.objects.filter(case={case!r}).update(due_at=timezone.now() - timedelta(minutes=5))
"""


@pytest.fixture
def people(stack):
    """Of a lab of its own, whose turnaround and ranges nobody else sees."""
    return stack.new_lab()


@pytest.fixture
def pathologist(stack, chromium, people):
    with new_context(chromium) as context, new_screen(context, stack.url) as screen:
        screen.sign_in(people["pathologist"])
        yield screen.page


def test_the_supervisor_s_day(stack, people, screen: Screen, pathologist, pictures):
    def shell(text: str, **values: str) -> None:
        stack.stack.manage("shell", "--no-imports", "--command", text.format(**values))

    page = screen.page
    with Client(stack.url, people["admin"]["token"]) as client:
        hours = {"stat": 1, "urgent": 4, "routine": 8}
        client.connection.call("PUT", "lab/turnaround/", json=hours)
    with Client(stack.url, people["technician"]["token"]) as client:
        late = a_case(client, pictures[:6], "88-1")
        other = a_case(client, pictures[6:8], "88-2")
        decide_all(client, late)
    shell(LATE, case=late)
    screen.sign_in(people["lab_supervisor"])

    # What is overdue, by keyboard; the filter is kept.
    page.goto(f"{stack.url}/worklist/")
    page.wait_for_load_state("networkidle")
    rows = page.locator("#cases tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("overdue")
    page.keyboard.press("j")
    expect(page.locator(f"#case-{late} th a")).to_be_focused()
    looked_at(page, "worklist")
    page.get_by_text("Filter and order").press("Enter")
    page.get_by_label("Overdue only").press("Space")
    expect(rows).to_have_count(1)
    page.get_by_label("Keep this filter as").fill("Late")
    page.get_by_label("Keep this filter as").press("Enter")
    expect(page.get_by_role("link", name="Late")).to_have_attribute("aria-current", "page")

    # Whose it is.
    rows.first.get_by_role("link", name=re.compile("^Assign")).press("Enter")
    page.get_by_role("radio", name=PATHOLOGIST).press("Space")
    looked_at(page, "assign")
    page.get_by_role("button", name="Assign").press("Enter")
    expect(page.locator(f"#case-{late} .whose")).to_contain_text(PATHOLOGIST)
    pathologist.goto(f"{stack.url}/worklist/")
    pathologist.get_by_label("Parts of the worklist").get_by_role("link", name="Mine").click()
    expect(pathologist.locator(f"#case-{late}")).to_be_visible()
    expect(pathologist.locator(f"#case-{other}")).to_have_count(0)

    # What is normal: proposed, then approved.
    page.goto(f"{stack.url}/lab/ranges/")
    page.get_by_role("button", name="Propose the set").press("Enter")
    expect(page.get_by_text("They count for nothing until somebody approves them.")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Approve all")).first.press("Enter")
    expect(page.get_by_text("They count from now on.")).to_be_visible()
    looked_at(page, "ranges")
    shell(RANGES, email=people["pathologist"]["email"])

    # Which rules hold.
    page.get_by_label("The lab").get_by_role("link", name="Rules").press("Enter")
    page.get_by_role("button", name="Take them over").press("Enter")
    page.get_by_role("button", name="Accept A blast").press("Enter")
    expect(page.get_by_role("row").filter(has_text="A blast")).to_contain_text("accepted by")
    looked_at(page, "rules")

    # A second reader, by hand; when both are done the supervisor sees how far they agree.
    page.goto(f"{stack.url}/cases/{late}/checks/")
    expect(page.get_by_role("row").filter(has_text="A blast")).to_contain_text("Open")
    page.get_by_label("Ask").select_option(label=PATHOLOGIST)
    page.get_by_role("button", name="Ask for a second reader").press("Enter")
    for who, kind in (("pathologist", "second"), ("technician", "first")):
        with Client(stack.url, people[who]["token"]) as client:
            call = client.connection.call
            readings = {one["kind"]: one["id"] for one in call("GET", f"cases/{late}/readings/")}
            if kind == "second":
                decide_all(client, late, kind, others=1)
            client.connection.api.post(f"readings/{readings[kind]}/finish/").raise_for_status()
    page.goto(f"{stack.url}/cases/{late}/agreement/")
    expect(page.get_by_text("5 of 6 cells")).to_be_visible()
    expect(page.get_by_role("button", name="Settle what is chosen")).to_have_count(0)
    looked_at(page, "agreement-supervisor")
    with Client(stack.url, people["pathologist"]["token"]) as client:
        (found,) = client.connection.call("GET", f"cases/{late}/agreements/")
        cell = str(found["disagreements"][0]["cell"])
        to = _id_of(client, TECHNICIAN)
        where = f"cases/{late}/agreements/{found['id']}"
        asked = {"cells": {cell: "blast"}, "together_with": to}
        client.connection.call("POST", f"{where}/settle/", json=asked)
    with Client(stack.url, people["technician"]["token"]) as client:
        client.connection.call("POST", f"{where}/confirm/", json={"cells": {cell: "blast"}})

    # The pathologist sees what the rule asked for, and signs a critical result.
    pathologist.goto(f"{stack.url}/cases/{late}/checks/")
    pathologist.get_by_role("button", name="I have seen it").press("Enter")
    sign(pathologist, f"{stack.url}/cases/{late}/sign/", people["pathologist"])
    expect(pathologist.get_by_role("heading", name="Rules that asked for something")).to_be_visible()
    expect(pathologist.get_by_role("heading", name="Second reader")).to_be_visible()
    looked_at(pathologist, "result-with-rules")

    # Nobody was told of it in time.
    page.goto(f"{stack.url}/critical/")
    wait_for(page, "Blast")
    shell(UNTOLD, case=late)
    page.reload()
    expect(page.get_by_role("row").filter(has_text="Blast")).to_contain_text("Overdue")
    looked_at(page, "critical-overdue")
    page.get_by_role("row").filter(has_text="Blast").get_by_role("link").press("Enter")
    expect(page.get_by_text("Nobody has called yet.")).to_be_visible()
    expect(page.get_by_role("button", name="Write down")).to_have_count(0)

    # What was late is no work any more.
    page.goto(f"{stack.url}/worklist/")
    page.get_by_role("link", name="Late").click()
    expect(page.get_by_text("No case fits the filter.")).to_be_visible()


def _id_of(client: Client, name: str) -> int:
    people = client.connection.call("GET", "worklist/people/")
    return next(int(one["id"]) for one in people if one["name"] == name)
