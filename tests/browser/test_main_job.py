"""From signing in to the evidence for one cell, as a technician does it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect


def overlay_is_drawn(page: Page) -> bool:
    """Whether the evidence's picture has been fetched and decoded, and may be seen."""
    drawn: bool = page.evaluate(
        """async () => {
            const image = document.querySelector("[data-evidence]");
            await createImageBitmap(await (await fetch(image.href.baseVal)).blob());
            return getComputedStyle(image.closest("svg")).visibility === "visible";
        }"""
    )
    return drawn


WIDTH_ONCE_LOADED = """async shown => {
    const picture = new Image();
    picture.src = shown.href.baseVal;
    await picture.decode();
    return picture.naturalWidth;
}"""


def test_from_signing_in_to_the_evidence(screen, lab, pictures):
    screen.sign_in(lab["technician"])
    page = screen.page
    expect(page.locator(".account")).to_contain_text("Technician")
    expect(page.locator("footer")).to_contain_text("Not a cleared medical device")

    screen.open_case("BR-1")
    screen.choose(*pictures)
    screen.expect_classified(len(pictures))

    # The gallery has filled itself, and every tile shows a piece of a picture that did load.
    expect(page.locator("#gallery .tile")).to_have_count(len(pictures))
    expect(page.locator("#tab-all .count")).to_have_text(str(len(pictures)))
    mosaics = page.locator(".tile image").evaluate_all(
        "tiles => [...new Set(tiles.map(t => t.href.baseVal))]"
    )
    assert len(mosaics) == page.locator(".class-section").count()
    for mosaic in mosaics:
        assert page.request.get(screen.url + mosaic).headers["content-type"] == "image/jpeg"
    expect(page.locator(".differential")).to_contain_text("Neutrophil")

    # A tile opens the cell; arrow keys walk, E shows the evidence, Escape closes and leads back to the tile.
    tiles = page.locator("#gallery .tile")
    name = tiles.nth(0).get_attribute("title")
    tiles.nth(0).press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(name)
    seen = dialog.locator(".stage-picture image").first
    assert seen.evaluate(WIDTH_ONCE_LOADED) == 360
    page.keyboard.press("e")
    expect(dialog.get_by_label("Show evidence")).to_be_checked()
    assert overlay_is_drawn(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(tiles.nth(0)).to_be_focused()


def test_walking_through_a_class_by_keyboard(technician, many_of_one_class):
    page = technician.page
    page.goto(technician.url + many_of_one_class)
    page.locator("#gallery .tile").first.click()
    dialog = page.get_by_role("dialog")
    place = dialog.locator(".cell-head .quiet")
    expect(place).to_have_text(re.compile(", 1 of "))
    page.keyboard.press("ArrowLeft")  # there is none before the first
    page.keyboard.press("ArrowRight")
    expect(place).to_have_text(re.compile(", 2 of "))
    page.keyboard.press("ArrowRight")
    expect(place).to_have_text(re.compile(", 3 of "))
    page.keyboard.press("ArrowLeft")
    expect(place).to_have_text(re.compile(", 2 of "))
    seen = dialog.locator(".cell").get_attribute("data-cell")
    page.keyboard.press("Escape")
    expect(page.locator(f"#cell-{seen}")).to_be_focused()


def test_evidence_of_another_class(technician, filled_case):
    page = technician.page
    page.goto(technician.url + filled_case)
    page.locator("#gallery .tile").first.click()
    dialog = page.get_by_role("dialog")
    other = dialog.locator("[data-evidence-form] label:has(input[type=radio]:not(:checked))").first
    name = other.locator(".probability-name").inner_text()
    code = other.locator("input").get_attribute("value")
    dialog.get_by_role("radio", name=name).check()
    expect(dialog.get_by_label("Show evidence")).to_be_checked()
    expect(dialog.locator("[data-evidence]")).to_have_attribute("href", re.compile(f"cell_class={code}"))
    expect(dialog.locator("[data-evidence-legend]")).to_contain_text(name)
    assert overlay_is_drawn(page)


def test_a_cell_has_a_page_of_its_own(technician, filled_case):
    page = technician.page
    page.goto(technician.url + filled_case)
    page.goto(page.locator("#gallery .tile").first.evaluate("tile => tile.href"))
    expect(page.get_by_role("heading", level=2)).to_be_visible()
    page.get_by_label("Show evidence").check()
    assert overlay_is_drawn(page)


def test_a_class_alone_then_all_again(technician, filled_case):
    page = technician.page
    page.goto(technician.url + filled_case)
    tab = page.locator(".tab:not(#tab-all)").first
    count = int(tab.locator(".count").inner_text())
    tab.click()
    expect(page).to_have_url(re.compile(r"\?class="))
    expect(page.locator("#gallery .class-section")).to_have_count(1)
    expect(page.locator("#gallery .tile")).to_have_count(count)
    expect(page.locator(".tab[aria-current]")).to_have_count(1)
    page.locator("#tab-all").click()
    expect(page).to_have_url(technician.url + filled_case)
    expect(page.locator("#tab-all")).to_have_attribute("aria-current", "true")


def test_cells_that_come_in_wait_while_a_class_is_looked_at(technician, pictures):
    page = technician.page
    technician.open_case("BR-waiting")
    technician.choose(pictures[0])
    technician.expect_classified(1)
    page.locator(".tab:not(#tab-all)").click()
    expect(page.locator("#gallery[data-class]")).to_have_count(1)
    technician.choose(pictures[1])
    technician.expect_classified(2)
    expect(page.locator("#new-cells")).to_be_visible()
    page.get_by_role("link", name="Show them").click()
    expect(page.locator("#new-cells")).to_be_hidden()
    page.locator("#tab-all").click()
    expect(page.locator("#gallery .tile")).to_have_count(2)


def test_more_cells_come_as_one_scrolls(technician, many_of_one_class):
    page = technician.page
    page.goto(technician.url + many_of_one_class)
    page.locator(".show-all a").first.click()
    expect(page).to_have_url(re.compile(r"\?class="))
    count = int(page.locator(".tab[aria-current] .count").inner_text())
    assert count > 96
    page.locator(".foot").scroll_into_view_if_needed()
    expect(page.locator("#gallery .tile")).to_have_count(count)
    expect(page.locator(".more")).to_have_count(0)


def test_what_was_refused_and_why(technician, pictures, tmp_path):
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / "text.jpg").write_text("not an image either")
    (tmp_path / "empty.png").touch()
    (tmp_path / "cut.jpg").write_bytes(pictures[0].read_bytes()[:2000])
    technician.open_case("BR-refused")
    technician.choose(pictures[0], *tmp_path.iterdir())
    technician.expect_classified(1)
    problems = technician.page.locator(".problems li")
    expect(problems).to_have_count(3)
    expect(technician.page.locator("[data-others-list]")).to_have_text(
        "notes.txt Not a picture, by its content."
    )
    for name, reason in {
        "text.jpg": "This is text, not an image. Upload the picture itself.",
        "empty.png": "The file is empty.",
        "cut.jpg": "damaged or cut short",
    }.items():
        expect(problems.filter(has_text=name)).to_contain_text(reason)


def test_the_case_list_follows(technician, pictures):
    technician.open_case("BR-list-1")
    technician.choose(pictures[0])
    technician.expect_classified(1)
    page = technician.page
    page.goto(f"{technician.url}/worklist/")
    expect(page.get_by_role("row").filter(has_text="BR-list-1")).to_contain_text("Classified")
    technician.open_case("XX-other")
    page.goto(f"{technician.url}/worklist/")
    page.get_by_label("Accession", exact=True).fill("br-LIST")
    expect(page.get_by_role("row").filter(has_text="XX-other")).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text="BR-list-1")).to_have_count(1)
    expect(page).to_have_url(re.compile("q=br-LIST"))


def test_a_taken_accession(technician):
    technician.open_case("BR-taken")
    page = technician.page
    page.goto(f"{technician.url}/worklist/")
    page.get_by_label("New case").fill("BR-taken")
    page.get_by_role("button", name="Create case").click()
    expect(page.get_by_role("alert")).to_contain_text("exists already")
    page.get_by_role("link", name="Open BR-taken").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("BR-taken")
    technician.complaints.clear()  # the browser speaks of the 409


def test_a_wrong_password(screen, lab):
    page = screen.page
    page.goto(screen.url)
    page.get_by_label("E-mail").fill(lab["technician"]["email"])
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("E-mail or password is wrong")


def test_signing_out(screen, lab):
    screen.sign_in(lab["technician"])
    page = screen.page
    page.locator(".account summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.goto(f"{screen.url}/worklist/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_a_role_without_cases_is_told_what_it_will_find(screen, lab):
    screen.sign_in(lab["researcher"])
    expect(screen.page.get_by_role("heading", name="What you will find here")).to_be_visible()


def test_signed_out_while_looking_leads_to_signing_in(technician, filled_case):
    page = technician.page
    page.goto(technician.url + filled_case)
    page.context.clear_cookies()
    page.evaluate("document.body.dispatchEvent(new CustomEvent('case-changed'))")
    expect(page).to_have_url(re.compile("/accounts/login/.*cases"))


@pytest.fixture(scope="package")
def many_of_one_class(stack, lab, pictures, tmp_path_factory) -> str:
    """The path of a case with 104 copies of one picture, told apart by bytes after its end."""
    from infra.client.client import Client

    folder: Path = tmp_path_factory.mktemp("many")
    for number in range(104):
        content = pictures[0].read_bytes() + number.to_bytes(4, "big")
        (folder / f"{number:03}.jpg").write_bytes(content)
    with Client(stack.url, lab["technician"]["token"]) as client:
        case = client.open_case("MANY")
        client.upload(case, sorted(folder.iterdir()))
        client.wait(case.id)
    return f"/cases/{case.id}/"
