"""A pathologist signs a critical result, tells somebody, and looks back at it from the next case."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from infra.client.client import Client
from tests.browser.conftest import Screen
from tests.browser.looking import looked_at
from tests.browser.test_review import ready

RANGES = """
from decimal import Decimal
from django.utils import timezone
from django_scopes import scope
from webapp.accounts.models import User
from webapp.labs.models import Lab, Membership
from webapp.ranges.models import ReferenceRange
user = User.objects.get(email={email!r})
lab = Lab.objects.get(id={lab!r})
now = timezone.now()
with scope(lab=lab):
    ReferenceRange.objects.create(lab=lab, cell_class="blast", quantity="percent", high=Decimal(0),
        critical_high=Decimal(20), source="A book", proposed_by=user, approved_by=user, approved_at=now,
        valid_from=now)
"""


@pytest.fixture
def pathologist(screen: Screen, signed_in_pathologist) -> Screen:
    screen.page.context.add_cookies(signed_in_pathologist["cookies"])
    return screen


def a_case(client: Client, pictures, mrn: str, day: str) -> str:
    """A case of the patient, classified, every cell decided to be a blast; its path."""
    case = client.open_case(f"EARLIER-{uuid4().hex[:8]}")
    call = client.connection.call
    call("PATCH", f"cases/{case.id}/patient/", json={"name": "Pat", "mrn": mrn, "birth_date": "1980-05-01"})
    call("PATCH", f"cases/{case.id}/specimen/", json={"collected_at": f"{day}T08:00:00Z"})
    client.upload(case, pictures)
    client.wait(case.id)
    reading = call("POST", f"cases/{case.id}/readings/", json={"kind": "first"})
    cells = call("GET", f"readings/{reading['id']}/cells/?limit=240")
    ids = [row[0] for section in cells["sections"] for row in section["cells"]]
    gesture = {
        "gesture": str(uuid4()),
        "client": str(uuid4()),
        "base_revision": 0,
        "decisions": [{"cell": one, "class": "blast"} for one in ids],
    }
    call("POST", f"readings/{reading['id']}/decisions/", json=gesture)
    return f"/cases/{case.id}/"


def test_the_day_after(stack, lab, pathologist, pictures):
    member = lab["pathologist"]
    page, mrn = pathologist.page, uuid4().hex[:8]
    with Client(stack.url, member["token"]) as client:
        first, second = (a_case(client, pictures[:6], mrn, f"2026-11-0{day}") for day in (1, 2))
        page.goto(stack.url + "/worklist/")
        lab_id = page.locator("body").get_attribute("data-lab")
        stack.stack.manage(
            *("shell", "--no-imports", "--command"), RANGES.format(email=member["email"], lab=lab_id)
        )
    page.goto(f"{stack.url}{first}sign/")
    page.get_by_label("Why it is signed all the same").fill("No more are on the slide.")
    page.get_by_role("button", name="Put it into the result").click()
    expect(page.get_by_label("Password")).to_be_visible()
    looked_at(page, "sign")
    page.get_by_label("Password").fill(member["password"])
    page.get_by_role("button", name="Sign with the password").click()
    page.wait_for_url(re.compile("/results?/"))
    looked_at(page, "result")
    result = page.url
    for deed in ("amend", "void"):
        page.goto(f"{stack.url}{first}{deed}/")
        looked_at(page, deed)
    page.goto(result)

    # Somebody is to be told.
    expect(page.get_by_role("link", name="Critical results")).to_be_visible()
    page.get_by_role("link", name="Critical results").click()
    due = page.get_by_role("row").filter(has_text="Blast").first
    for _ in range(30):  # workers hear of it
        if due.is_visible():
            break
        page.wait_for_timeout(1000)
        page.reload()
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
