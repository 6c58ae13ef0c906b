"""A person reviews a case: by keys, by mouse, by touch; over a line that fails, and with somebody else."""

import json
import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Page, Route, ViewportSize, expect

from infra.client.client import Client
from infra.demo import cells
from serving.contract import CELL_LABELS
from tests.browser.conftest import Screen, new_context, new_screen
from tests.support import conflicting

OF_EACH_CLASS = 4
N = OF_EACH_CLASS * len(CELL_LABELS)
CHANGES = re.compile("/changes/")
TALL: ViewportSize = {"width": 1440, "height": 2000}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return cells.write(tmp_path_factory.mktemp("cells"), per_class=OF_EACH_CLASS, seed=11)


@pytest.fixture
def case(stack, lab, drawn) -> str:
    """The address of the review of a case of drawn cells, of which nobody decided anything."""
    with Client(stack.url, lab["technician"]["token"]) as client:
        made = client.open_case(f"REVIEW-{uuid4().hex[:8]}")
        client.upload(made, drawn)
        client.wait(made.id)
    return f"{stack.url}/cases/{made.id}/"


@pytest.fixture
def review(technician: Screen, case) -> Page:
    """The review, just begun, on a screen on which all cells are drawn."""
    technician.page.set_viewport_size(TALL)
    return begin(technician.page, case)


def begin(page: Page, case: str) -> Page:
    page.goto(case)
    page.get_by_role("button", name="Review").click()
    return ready(page)


def ready(page: Page) -> Page:
    expect(page.locator(".rv-picture").first).to_be_visible()
    if page.get_by_role("button", name="Not now").is_visible():
        page.get_by_role("button", name="Not now").click()
    page.locator("#gallery").focus()
    return page


def expect_undecided(page: Page, n: int) -> None:
    expect(page.locator(".rv-progress")).to_contain_text(f"{n} undecided" if n else "All decided")


def expect_saved(page: Page) -> None:
    expect(page.locator(".rv-saved")).to_have_text("Saved")


def said(page: Page) -> str:
    return page.locator(".rv-said").inner_text()


def focused(page: Page) -> str:
    return str(page.locator("#gallery").get_attribute("aria-activedescendant"))


def decided_as(page: Page, cell: str, name: str) -> None:
    expect(page.locator(f"#{cell}")).to_have_attribute("aria-label", re.compile(f"^{name}, decided"))


def to_a_class(page: Page) -> None:
    """Go to the first section that is not Unidentified."""
    if page.locator(".rv-section.is-unidentified.is-current").count():
        page.keyboard.press("]")


def test_keys_alone_decide_all(review):
    expect_undecided(review, N)
    for _ in range(3 * N):
        if review.locator(".rv-progress").inner_text() == "All decided":
            break
        # Nothing is suggested that a key of its own could not say as well.
        review.keyboard.press("Enter")
    expect_undecided(review, 0)
    expect_saved(review)
    expect(review.get_by_text("All cells are decided.").last).to_be_visible()
    review.reload()
    ready(review)
    expect_undecided(review, 0)


def test_a_class_key_moves_the_cell_and_goes_on_and_undo_brings_it_back(review):
    to_a_class(review)
    cell = focused(review)
    review.keyboard.press("u")
    decided_as(review, cell, "Not classed")
    assert focused(review) != cell
    expect_saved(review)
    review.keyboard.press("z")
    expect(review.locator(f"#{cell}")).to_have_attribute("aria-label", re.compile("suggested"))
    assert focused(review) == cell
    expect_undecided(review, N)
    review.keyboard.press("y")
    expect_undecided(review, N - 1)
    expect_saved(review)
    review.reload()
    ready(review)
    expect_undecided(review, N - 1)
    review.keyboard.press("Control+z")  # back to the start of the work, over the reload
    expect_undecided(review, N)
    expect_saved(review)


def test_a_range_is_selected_and_moved_at_once(review):
    to_a_class(review)
    review.keyboard.press("Shift+ArrowRight")
    review.keyboard.press("Shift+ArrowRight")
    expect(review.locator('[aria-selected="true"]')).to_have_count(3)
    expect(review.locator(".rv-said")).to_have_text("3 cells selected.")
    expect(review.locator(".rv-confirm")).to_contain_text("Confirm 3 selected")
    chosen = [one.get_attribute("id") for one in review.locator('[aria-selected="true"]').all()]
    review.keyboard.press("v")
    for cell in chosen:
        decided_as(review, str(cell), "Reactive lymphocyte")
    assert said(review) == "3 cells are now Reactive lymphocyte."
    row = review.locator("tr[data-class=reactive_lymphocyte]")
    expect(row.locator("td").first).to_have_text("3")
    expect_undecided(review, N - 3)


def test_cells_apart_are_selected_by_keys(review):
    to_a_class(review)
    review.keyboard.press("Control+Space")
    for key in ("Control+ArrowRight", "Control+ArrowRight", "Control+Space"):
        review.keyboard.press(key)
    expect(review.locator('[aria-selected="true"]')).to_have_count(2)
    review.keyboard.press("a")
    expect_undecided(review, N - 2)


def test_the_mouse_selects_drags_and_clicks(review):
    tiles = review.locator(".rv-section:not(.is-unidentified) [data-cell]")
    first, second = (str(tiles.nth(i).get_attribute("id")) for i in (0, 1))
    review.locator(f"#{first}").click()
    review.locator(f"#{second}").click(modifiers=["ControlOrMeta"])
    expect(review.locator('[aria-selected="true"]')).to_have_count(2)
    review.locator(f"#{second}").drag_to(review.locator("tr[data-class=smudge]"))
    decided_as(review, first, "Smudge cell")
    decided_as(review, second, "Smudge cell")
    review.locator(f"#{first}").click()
    review.locator(".rv-class[data-code=artefact]").click()
    decided_as(review, first, "Artefact")
    review.get_by_role("button", name="Undo").click()
    decided_as(review, first, "Smudge cell")


def test_other_asks_for_words_while_no_key_means_anything_else(review):
    to_a_class(review)
    cell = focused(review)
    review.keyboard.press("o")
    field = review.get_by_label("In your words, if you like")
    expect(field).to_be_focused()
    field.press_sequentially("neutrophil?")
    expect_undecided(review, N)
    field.press("Enter")
    decided_as(review, cell, "Other")
    expect_undecided(review, N - 1)
    expect_saved(review)


def test_the_large_cell_is_worked_by_the_same_keys(review):
    to_a_class(review)
    cell = focused(review)
    review.keyboard.press(" ")
    dialog = review.get_by_role("dialog", name="One cell")
    expect(dialog.get_by_text("What the model said")).to_be_visible()
    review.keyboard.press("w")
    expect(dialog.get_by_label("Show evidence")).to_be_checked()
    review.keyboard.press("Shift+M")
    expect(dialog.get_by_role("radio", name="Monocyte")).to_be_checked()
    review.keyboard.press("f")  # means nothing here
    review.keyboard.press("a")
    expect_undecided(review, N - 1)
    review.keyboard.press("ArrowRight")
    review.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    decided_as(review, cell, "Artefact")
    expect(review.locator("#gallery")).to_be_focused()


def test_other_in_the_large_cell_leads_back_to_it(review):
    to_a_class(review)
    cell = focused(review)
    review.keyboard.press(" ")
    large = review.get_by_role("dialog", name="One cell")
    expect(large).to_be_visible()
    review.keyboard.press("o")
    review.get_by_label("In your words, if you like").press("Escape")
    expect(large).to_be_visible()
    expect_undecided(review, N)
    review.keyboard.press("o")
    review.get_by_label("In your words, if you like").press("Enter")
    expect(large).to_be_visible()
    review.keyboard.press("Escape")
    decided_as(review, cell, "Other")
    expect(review.locator("#gallery")).to_be_focused()


def test_no_cell_is_confirmed_whose_picture_has_not_come(technician, case):
    page = technician.page
    page.set_viewport_size(TALL)
    held: list[Route] = []
    page.route(re.compile("/tiles/|/picture/$"), lambda route: held.append(route))
    page.goto(case, wait_until="commit")
    page.get_by_role("button", name="Review").click(no_wait_after=True)
    tiles = page.locator("[data-cell]")
    expect(tiles.first).to_be_visible()
    if page.get_by_role("button", name="Not now").is_visible():
        page.get_by_role("button", name="Not now").click()
    page.locator("#gallery").focus()
    # A cell that is confirmed alone, a class, and a cell that is shown large.
    for keys in (["Home", "Enter"], ["]", "Enter"], [" ", "Enter"]):
        for key in keys:
            page.keyboard.press(key)
        expect(page.locator(".rv-said")).to_have_text("This cell is not to be seen yet.")
    expect_undecided(page, N)
    confirm = page.get_by_role("dialog", name="One cell").get_by_role("button", name="Confirm")
    expect(confirm).to_be_disabled()
    for route in held:
        route.continue_()
    page.unroute(re.compile("/tiles/|/picture/$"))
    expect(confirm).to_be_enabled()
    page.keyboard.press("Enter")
    expect_undecided(page, N - 1)


def test_nothing_is_confirmed_under_the_open_differential(review):
    review.set_viewport_size({"width": 900, "height": 2000})
    to_a_class(review)
    expect(review.locator(".rv-bar").get_by_role("button", name=re.compile("Confirm"))).to_be_enabled()
    review.get_by_role("button", name="Count").click()
    expect(review.locator(".rv-bar").get_by_role("button", name="Confirm 0")).to_be_disabled()
    review.locator("#gallery").focus()
    review.keyboard.press("Enter")
    expect_undecided(review, N)


def test_keys_are_shown_changed_and_switched_off(review):
    to_a_class(review)
    review.keyboard.press("?")
    dialog = review.get_by_role("dialog", name="Keys")
    dialog.get_by_role("button", name="Change keys").click()
    of_monocytes = dialog.get_by_label("Key for: Monocyte")
    of_monocytes.fill("n")
    expect(dialog.get_by_role("alert")).to_contain_text("already means: Neutrophil")
    of_monocytes.fill("9")
    dialog.get_by_role("button", name="Done").click()
    review.keyboard.press("Escape")
    cell = focused(review)
    review.keyboard.press("m")
    expect_undecided(review, N)
    review.keyboard.press("9")
    decided_as(review, cell, "Monocyte")
    review.keyboard.press("?")
    dialog.get_by_label("Switch single keys off").check()
    review.keyboard.press("Escape")
    review.keyboard.press("9")
    expect_undecided(review, N - 1)


def test_the_keys_are_printed_on_one_page_whatever_the_screen_is(review):
    review.keyboard.press("?")
    dialog = review.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    review.emulate_media(color_scheme="dark", media="print")
    for shown in (
        dialog.get_by_role("heading", name="Keys", exact=True),
        dialog.get_by_text("Blast", exact=True),
    ):
        expect(shown).to_be_visible()
        assert shown.evaluate("element => getComputedStyle(element).color") == "rgb(0, 0, 0)"
    for hidden in ("button", "link", "grid"):
        expect(review.get_by_role(hidden)).to_have_count(0)
    for paper in ("A4", "Letter"):
        assert len(re.findall(rb"/Type\s*/Page\b", review.pdf(format=paper))) == 1


def test_while_the_line_is_down_nothing_is_lost(technician, review):
    to_a_class(review)
    review.route("**/decisions/", lambda route: route.abort())
    cell = focused(review)
    review.keyboard.press("u")
    decided_as(review, cell, "Not classed")
    expect(review.locator(".rv-saved")).to_contain_text("1 unsaved")
    review.once("dialog", lambda asked: asked.accept())  # the page says that something is unsaved
    review.reload()
    ready(review)
    decided_as(review, cell, "Not classed")
    expect(review.locator(".rv-saved")).to_contain_text("1 unsaved")
    review.unroute("**/decisions/")
    expect_saved(review)
    expect_undecided(review, N - 1)
    technician.complaints.clear()
    review.reload()
    ready(review)
    expect_undecided(review, N - 1)


def test_what_one_left_unsaved_is_not_done_by_the_next(technician, review, signed_in_pathologist):
    to_a_class(review)
    review.route("**/decisions/", lambda route: route.abort())
    review.keyboard.press("u")
    expect(review.locator(".rv-saved")).to_contain_text("1 unsaved")
    review.once("dialog", lambda asked: asked.accept())
    review.context.clear_cookies()
    review.context.add_cookies(signed_in_pathologist["cookies"])
    review.unroute("**/decisions/")
    review.reload()
    ready(review)
    expect_undecided(review, N)
    expect_saved(review)
    technician.complaints.clear()


def test_a_gesture_whose_answer_was_lost_is_done_once(technician, review):
    to_a_class(review)
    bodies = []

    def lose(route: Route) -> None:
        bodies.append(json.loads(route.request.post_data or "{}"))
        if len(bodies) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    review.route("**/decisions/", lose)
    review.keyboard.press("u")
    expect_saved(review)
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]
    expect_undecided(review, N - 1)
    technician.complaints.clear()


@pytest.fixture
def colleague(stack, chromium, signed_in_pathologist) -> Iterator[Screen]:
    with new_context(chromium) as context, new_screen(context, stack.url) as screen:
        context.add_cookies(signed_in_pathologist["cookies"])
        yield screen


def test_two_see_each_other_and_overwrite_nothing(technician, review, colleague, case):
    theirs = colleague.page
    theirs.set_viewport_size(TALL)
    theirs.goto(f"{case}review/")
    ready(theirs)
    to_a_class(review)
    cell = focused(review)
    theirs.locator(f"#{cell}").click()
    # Both decide the same cell before either hears of the other.
    review.route(CHANGES, lambda route: route.abort())
    theirs.keyboard.press("t")
    expect_saved(theirs)
    review.keyboard.press("m")
    decided_as(review, cell, "Blast")
    expect(review.locator(f"#{cell} .rv-name")).to_have_text("Pathologist")
    review.unroute(CHANGES)
    technician.complaints.clear()
    review.get_by_role("button", name="Look at them").click()
    dialog = review.get_by_role("dialog", name="Decided otherwise meanwhile")
    expect(dialog).to_contain_text("Pathologist: Blast. You: Monocyte.")
    dialog.get_by_role("button", name="Make it Monocyte").click()
    decided_as(review, cell, "Monocyte")
    decided_as(theirs, cell, "Monocyte")
    expect(theirs.locator(f"#{cell} .rv-name")).to_be_visible()


def test_of_what_two_decide_at_once_nothing_is_lost(stack, review, colleague, case):
    theirs = colleague.page
    for page in (review, theirs):
        page.set_viewport_size({"width": 1440, "height": 3000})
    theirs.goto(f"{case}review/")
    ready(theirs)
    script = conflicting.LOG.format(case=case.rstrip("/").rpartition("/")[2])

    def log() -> str:
        return str(stack.stack.manage("shell", "--no-imports", "--command", script))

    found = conflicting.contest(review, theirs, 40, log)
    assert found.conflicts >= 20
    assert found.seconds_until_equal <= 2


def test_words_of_what_is_other_are_read_and_corrected(review):
    cell = focused(review)
    review.keyboard.press("o")
    review.get_by_label("In your words").fill("like a hairy cell")
    review.keyboard.press("Enter")
    decided_as(review, cell, "Other")
    expect_saved(review)
    review.reload()
    ready(review)
    review.locator(f"#{cell}").dblclick()
    large = review.get_by_role("dialog", name="One cell")
    expect(large.locator("q")).to_have_text("like a hairy cell")
    large.get_by_role("button", name="Correct the words").click()
    field = review.get_by_label("In your words")
    expect(field).to_have_value("like a hairy cell")
    field.fill("a plasma cell?")
    review.keyboard.press("Enter")
    expect(large.locator("q")).to_have_text("a plasma cell?")
    review.keyboard.press("Escape")
    review.get_by_title("Back to the case").click()
    review.locator(f".tile#{cell}").click()
    expect(review.get_by_role("dialog")).to_contain_text("a plasma cell?")


# For `python -m webapp shell`: what a re-run leaves, after which the model is sure that all are platelets.
RERUN = """
from webapp.cases.models import Case
from webapp.inference.models import Chunk, Prediction
case = Case._base_manager.get(pk="{case}")
said = Prediction._base_manager.filter(cell__image__case=case, current=True)
said.update(cell_class="platelet", confidence=0.9, flagged=False)
Chunk._base_manager.create(lab=case.lab, case=case, queue="bulk", state="done", live_only=True)
"""


def test_what_the_model_suggests_anew_is_taken_in_and_decisions_stay(stack, review, case):
    to_a_class(review)
    cell, chosen = focused(review), review.locator(".rv-section:not(.is-unidentified) [data-cell]").last
    review.keyboard.press("t")
    decided_as(review, cell, "Blast")
    chosen.click()
    chosen_id = chosen.get_attribute("id")
    script = RERUN.format(case=case.rstrip("/").rpartition("/")[2])
    stack.stack.manage("shell", "--no-imports", "--command", script)
    expect(review.locator(".rv-section[data-class=platelet] [data-cell]")).to_have_count(N - 1)
    decided_as(review, cell, "Blast")
    expect(review.locator("[aria-selected=true]")).to_have_id(str(chosen_id))
    expect(review.locator(".rv-said")).to_contain_text("The model was asked again")
    expect_undecided(review, N - 1)
    review.keyboard.press("Escape")
    review.keyboard.press("Control+a")
    review.keyboard.press("Enter")
    expect_undecided(review, 0)
    expect_saved(review)


def test_the_way_to_a_second_reading(stack, lab, colleague, review, case):
    case_id = case.rstrip("/").rpartition("/")[2]
    with Client(stack.url, lab["pathologist"]["token"]) as client:
        asked = {"kind": "second", "blinded": False}
        client.connection.call("POST", f"cases/{case_id}/readings/", json=asked)
    page = colleague.page
    page.goto(case)
    page.get_by_role("link", name="Your second reading").click()
    ready(page)
    readings = page.get_by_role("navigation", name="Readings")
    expect(readings.get_by_role("link", name="Your second reading")).to_have_attribute("aria-current", "page")
    page.keyboard.press("u")
    expect_undecided(page, N - 1)
    expect_saved(page)
    readings.get_by_role("link", name="First reading").click()
    ready(page)
    expect(readings.get_by_role("link", name="First reading")).to_have_attribute("aria-current", "page")
    expect_undecided(page, N)


def test_cells_are_filtered_by_file(review):
    review.keyboard.press("f")
    expect(review.locator(".rv-filter [name=class]")).to_be_focused()
    review.keyboard.press("Escape")
    expect(review.locator("#gallery")).to_be_focused()
    review.keyboard.press("f")
    review.get_by_label("File", exact=True).fill("erythroblast")
    review.get_by_label("File", exact=True).press("Enter")
    expect(review.get_by_text("Filtered:")).to_be_visible()
    expect(review.locator("[data-cell]")).to_have_count(OF_EACH_CLASS)
    review.get_by_role("button", name="Show all cells").first.click()
    expect(review.locator("[data-cell]")).to_have_count(N)


def test_similar_cells_are_shown_and_left(review):
    to_a_class(review)
    cell = focused(review)
    review.keyboard.press("j")
    expect(review.get_by_role("heading", name="Similar cells")).to_be_visible()
    review.keyboard.press("Escape")
    expect(review.get_by_role("heading", name="Similar cells")).to_have_count(0)
    assert focused(review) == cell


def test_by_touch_cells_are_tapped_and_moved_by_the_bar(stack, chromium, signed_in, case):
    phone = chromium.new_context(viewport={"width": 360, "height": 740}, has_touch=True)
    phone.add_cookies(signed_in["cookies"])
    with new_screen(phone, stack.url) as screen:
        page = begin(screen.page, case)
        tiles = page.locator("[data-cell]")
        first, second = (str(tiles.nth(i).get_attribute("id")) for i in (0, 1))
        for cell in (first, second):
            page.locator(f"#{cell}").tap()
        expect(page.get_by_text("2 selected", exact=True)).to_be_visible()
        page.locator(".rv-bar [data-code=blast]").tap()
        expect_undecided(page, N - 2)
        expect(page.locator("#differential")).to_be_hidden()
        page.get_by_role("button", name="Count").tap()
        expect(page.locator("tr[data-class=blast] td").first).to_have_text("2")
        page.get_by_role("button", name="Count").tap()
        page.get_by_role("button", name="All keys").tap()
        page.get_by_role("button", name="Take the tour").tap()
        for _ in range(2):
            page.locator(".driver-popover-next-btn").tap()
        expect(page.locator(".driver-popover-title")).to_have_text("Tap, and move")
        expect(page.locator(".rv-bar")).to_have_class(re.compile("driver-active-element"))
    phone.close()


def test_the_tour_has_five_steps(review):
    review.keyboard.press("?")
    review.get_by_role("button", name="Take the tour").click()
    for step in range(1, 6):
        expect(review.locator(".driver-popover-progress-text")).to_have_text(f"{step} / 5")
        expect(review.locator(".driver-popover-next-btn")).to_be_focused()
        review.keyboard.press("u")  # means nothing to the cells behind
        review.keyboard.press("Enter")
    expect(review.locator(".driver-popover")).to_have_count(0)
    expect(review.locator("#gallery")).to_be_focused()
    expect_undecided(review, N)
    review.keyboard.press("u")
    expect_undecided(review, N - 1)


def test_a_case_without_cells_says_what_to_do(technician, lab):
    technician.open_case(f"EMPTY-{uuid4().hex[:8]}")
    page = technician.page
    page.goto(f"{page.url}review/")
    page.get_by_role("button", name="Begin the review").click()
    expect(page.get_by_text("This case has no cells yet.")).to_be_visible()
    expect(page.locator(".rv-progress")).to_have_text("No cells yet")
