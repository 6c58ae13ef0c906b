"""The technician's bench: a barcode reader opens cases, other files are given in place of refused ones, one
that needs no other is set aside, and a critical call is handed on."""

import re

from playwright.sync_api import Page, expect

from infra.client.client import Client
from tests.browser.conftest import new_context, new_screen
from tests.browser.days import RANGES, decide_all, sign, wait_for
from tests.browser.looking import looked_at
from tests.browser.test_upload import drop


def scan(page: Page, text: str, end: str = "Enter") -> None:
    """As a barcode reader types."""
    page.keyboard.type(text)
    page.keyboard.press(end)


def test_a_scan_on_the_list_opens_the_case_wherever_the_focus_is(technician):
    page = technician.page
    technician.open_case("SCAN-17")
    technician.open_case("SCAN-171")
    heading = page.get_by_role("heading", level=1)
    for end in ("Enter", "Tab"):
        page.goto(f"{technician.url}/worklist/")
        page.wait_for_load_state("networkidle")
        scan(page, "SCAN-17", end)
        expect(heading).to_have_text("SCAN-17")
    page.goto(f"{technician.url}/worklist/")
    page.wait_for_load_state("networkidle")
    page.get_by_label("Accession", exact=True).focus()
    scan(page, "SCAN-171", "Tab")
    expect(heading).to_have_text("SCAN-171")


def test_keys_pressed_by_hand_do_nothing(technician):
    page = technician.page
    page.goto(f"{technician.url}/worklist/")
    page.wait_for_load_state("networkidle")
    page.keyboard.type("SCAN-17", delay=90)
    expect(page.get_by_label("Accession", exact=True)).to_have_value("")
    assert page.url.endswith("/worklist/")


def test_a_scan_of_the_mrn_goes_on_to_the_next_field(technician):
    page = technician.page
    technician.open_case("SCAN-mrn")
    page.goto(f"{page.url}patient/")
    page.wait_for_load_state("networkidle")
    page.get_by_label("MRN").focus()
    scan(page, "]C177-01")
    expect(page.get_by_label("Birth date")).to_be_focused()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("77-01", exact=True)).to_be_visible()


def test_another_file_is_chosen_or_dropped_in_place_of_a_refused_one(technician, pictures, tmp_path):
    page = technician.page
    for name in ("one.jpg", "two.jpg"):
        (tmp_path / name).write_text(f"not an image: {name}")
    technician.open_case("REPLACED")
    technician.choose(tmp_path / "one.jpg", tmp_path / "two.jpg")
    rows = page.locator(".problems li")
    expect(rows).to_have_count(2)
    rows.filter(has_text="one.jpg").get_by_label("Replace").set_input_files(pictures[0])
    expect(rows).to_have_count(1)
    technician.expect_classified(1)
    expect(page.locator(".tally div", has_text="Replaced").locator("dd")).to_have_text("1")

    page.get_by_label("Main").get_by_role("link", name="Files").click()
    row = page.locator("#outstanding tbody tr", has_text="two.jpg")
    row.get_by_label("Replace").set_input_files(tmp_path / "two.jpg")
    expect(row.locator("[data-said]")).to_contain_text("Refused before")
    row.get_by_label("Replace").set_input_files(pictures[1])
    expect(row.locator("[data-said]")).to_have_text(re.compile("^Replaced by "))
    page.reload()
    expect(page.locator("#outstanding tbody tr", has_text="two.jpg")).to_have_count(0)


def test_a_file_dropped_on_the_row_of_another_takes_its_place(technician, pictures, tmp_path):
    page = technician.page
    (tmp_path / "bad.jpg").write_text("not an image either")
    technician.open_case("DROPPED")
    technician.choose(tmp_path / "bad.jpg")
    row = page.locator(".problems li")
    expect(row).to_have_count(1)
    page.wait_for_load_state("networkidle")
    row.scroll_into_view_if_needed()
    box = row.bounding_box()
    assert box
    drop(page, pictures[2], x=box["x"] + 5, y=box["y"] + 5)
    expect(row).to_have_count(0)
    technician.expect_classified(1)


def test_the_technician_s_day(stack, chromium, screen, pictures, tmp_path):
    """A request by barcode, its files, one of them refused and replaced, one set aside; and somebody whom the
    first call did not reach."""
    people = stack.new_lab()
    technician, page = screen, screen.page
    technician.sign_in(people["technician"])

    # The request.
    page.goto(f"{technician.url}/worklist/")
    page.wait_for_load_state("networkidle")
    page.get_by_label("New case").focus()
    scan(page, "]C1T-2026-7")
    expect(page.get_by_role("heading", level=1)).to_have_text("T-2026-7")
    case = page.url
    page.goto(f"{case}specimen/")
    page.get_by_label("Priority").select_option(label="Urgent")
    page.get_by_label("Collected").fill("2026-11-20T08:30")
    page.get_by_label("Requested by").fill("Dr Adler")
    page.get_by_label("WBC (10⁹/L)").fill("7,4")
    page.get_by_label("WBC (10⁹/L)").press("Enter")
    expect(page.get_by_text("Write the decimals behind a point")).to_be_visible()
    technician.complaints.clear()  # of the status 422
    page.get_by_label("WBC (10⁹/L)").fill("7.4")
    page.get_by_label("WBC (10⁹/L)").press("Enter")
    expect(page.get_by_text("Dr Adler")).to_be_visible()
    expect(page.get_by_text("7.4", exact=False).first).to_be_visible()
    page.goto(f"{case}specimen/")
    looked_at(page, "request")
    page.get_by_label("Label").fill("S-1")
    page.get_by_label("Label").press("Enter")
    page.goto(f"{case}patient/")
    page.wait_for_load_state("networkidle")
    page.get_by_label("MRN").focus()
    scan(page, "]C177-08")
    page.get_by_label("Birth date").fill("1980-05-01")
    page.get_by_role("button", name="Save").press("Enter")

    # The files.
    for name in ("bad.jpg", "note.jpg"):
        (tmp_path / name).write_text(f"not an image: {name}")
    page.goto(case)
    page.wait_for_load_state()
    technician.choose(*pictures[:6], tmp_path / "bad.jpg", tmp_path / "note.jpg")
    rows = page.locator(".problems li")
    expect(rows).to_have_count(2)
    rows.filter(has_text="bad.jpg").get_by_label("Replace").set_input_files(pictures[6])
    technician.expect_classified(7)
    rows.filter(has_text="note.jpg").get_by_role("link", name="Set aside").press("Enter")
    looked_at(page, "set-aside")
    page.get_by_label("Why no other file is needed").fill("A note of the scanner.")
    page.get_by_role("button", name="Set aside").press("Enter")
    expect(page.get_by_text("note.jpg is set aside.")).to_be_visible()
    expect(rows).to_have_count(0)
    page.goto(f"{technician.url}/files/")
    expect(page.get_by_text("Every file that was given is accounted for.")).to_be_visible()
    page.goto(f"{case}files/")
    page.get_by_label(pictures[0].name).press("Space")
    page.get_by_label("Ticked files are of slide").select_option(label="S-1")
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_role("row").filter(has_text=pictures[0].name)).to_contain_text("S-1")
    looked_at(page, "files")

    # The pathologist signs a critical result; the first call reaches nobody, the next one does.
    member = people["pathologist"]
    stack.stack.manage("shell", "--no-imports", "--command", RANGES.format(email=member["email"]))
    with Client(stack.url, people["technician"]["token"]) as client:
        decide_all(client, case.rstrip("/").rpartition("/")[2])
    with new_context(chromium) as context, new_screen(context, stack.url) as other:
        other.sign_in(member)
        sign(other.page, f"{case}sign/", member)
    page.goto(f"{technician.url}/critical/")
    wait_for(page, "T-2026-7")
    page.get_by_role("link", name="T-2026-7").press("Enter")
    write_down(page, "Ward 3", "Not reached")
    expect(page.get_by_text("stays open")).to_be_visible()
    write_down(page, "Dr Adler", "Told, and read back")
    expect(page.get_by_text("The call is done.")).to_be_visible()
    expect(page.locator(".call-entries li")).to_have_count(2)


def write_down(page: Page, whom: str, outcome: str) -> None:
    page.get_by_label("Who was called").fill(whom)
    page.get_by_label(outcome, exact=True).press("Space")
    page.get_by_role("button", name="Write down").press("Enter")
