"""What a day at the bench begins with: cases whose cells are decided, and results that are signed."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from playwright.sync_api import Page, expect

from infra.client.client import Client

RANGES = """
from decimal import Decimal
from django.utils import timezone
from django_scopes import scope, scopes_disabled
from webapp.labs.models import Membership
from webapp.ranges.models import ReferenceRange
with scopes_disabled():
    member = Membership.objects.select_related("user", "lab").get(user__email={email!r})
user, lab = member.user, member.lab
now = timezone.now()
with scope(lab=lab):
    ReferenceRange.objects.create(lab=lab, cell_class="blast", quantity="percent", high=Decimal(0),
        critical_high=Decimal(20), source="A book", proposed_by=user, approved_by=user, approved_at=now,
        valid_from=now)
"""
"""From 20 % on blasts are critical in the lab of somebody."""


def decide_all(client: Client, case: str, kind: str = "first", code: str = "blast", others: int = 0) -> Any:
    """Begin a reading and decide all cells of it, the last `others` of them as monocytes; the reading."""
    call = client.connection.call
    reading = call("POST", f"cases/{case}/readings/", json={"kind": kind})
    cells = call("GET", f"readings/{reading['id']}/cells/?limit=240")
    ids = sorted(row[0] for section in cells["sections"] for row in section["cells"])
    codes = [code] * (len(ids) - others) + ["monocyte"] * others
    gesture = {
        "gesture": str(uuid4()),
        "client": str(uuid4()),
        "base_revision": 0,
        "decisions": [{"cell": one, "class": said} for one, said in zip(ids, codes, strict=True)],
    }
    call("POST", f"readings/{reading['id']}/decisions/", json=gesture)
    return reading


def a_case(client: Client, pictures: Sequence[Path], mrn: str = "", day: str = "2026-11-01") -> str:
    """The id of a case that is classified, of a patient where an MRN is given."""
    case = client.open_case(f"DAY-{uuid4().hex[:8]}")
    call = client.connection.call
    if mrn:
        patient = {"name": "Pat", "mrn": mrn, "birth_date": "1980-05-01"}
        call("PATCH", f"cases/{case.id}/patient/", json=patient)
    call("PATCH", f"cases/{case.id}/specimen/", json={"collected_at": f"{day}T08:00:00Z"})
    client.upload(case, pictures)
    client.wait(case.id)
    return str(case.id)


def sign(page: Page, address: str, member: dict[str, str]) -> None:
    """Sign what is short of cells, by keyboard: the reason, the password, Enter."""
    page.goto(address)
    page.get_by_label("Why it is signed all the same").fill("No more are on the slide.")
    page.get_by_role("button", name="Put it into the result").press("Enter")
    page.get_by_label("Password").fill(member["password"])
    page.get_by_label("Password").press("Enter")
    page.wait_for_url(re.compile("/results?/"))


def wait_for(page: Page, text: str) -> None:
    """Until the workers heard of it."""
    row = page.get_by_role("row").filter(has_text=text).first
    for _ in range(30):
        if row.is_visible():
            return
        page.wait_for_timeout(1000)
        page.reload()
    expect(row).to_be_visible()
