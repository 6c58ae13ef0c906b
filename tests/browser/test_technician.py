"""The technician's bench: a barcode reader opens cases, other files are given in place of refused ones."""

import re

from playwright.sync_api import Page, expect

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
