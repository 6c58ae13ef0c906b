"""Two windows of one browser, in two labs: what the first one shows is not done in the other's lab."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Screen


@pytest.fixture
def of_two_labs(stack, screen) -> tuple[Screen, str, str]:
    """A technician of two labs, working in the first; the name of each."""
    first, second = (f"Lab {name}-{id(screen)}" for name in ("Ahorn", "Birke"))
    member = stack.new_lab(first)["technician"]
    stack.stack.manage("create_lab", second, "--json", f"--member={member['email']}:technician")
    screen.sign_in(member)
    return screen, first, second


def go_to(page, lab: str) -> None:
    page.locator(".account summary").click()
    page.get_by_role("button", name=lab).click()
    expect(page.locator(".account-lab")).to_have_text(lab)


def test_nothing_of_the_first_window_is_done_in_the_seconds_lab(of_two_labs, pictures):
    screen, first, second = of_two_labs
    cases, case = screen.page, screen.page.context.new_page()
    Screen(case, screen.url, []).open_case("TWO-1")
    cases.goto(f"{screen.url}/worklist/")
    elsewhere = screen.page.context.new_page()
    elsewhere.goto(f"{screen.url}/worklist/")
    go_to(elsewhere, second)

    said = f"This page is of {first}"
    cases.get_by_label("Accession", exact=True).fill("TWO")
    expect(cases.get_by_role("alert")).to_contain_text(said)
    expect(cases.locator("#cases")).to_contain_text("TWO-1")
    cases.get_by_label("Accession", exact=True).fill("TWO-1")
    expect(cases.get_by_role("alert")).to_have_count(1)

    cases.get_by_label("New case").fill("TWO-2")
    cases.get_by_role("button", name="Create case").click()
    expect(cases.get_by_role("heading", level=1)).to_have_text(said)

    case.get_by_label("Choose images").set_input_files(pictures[:1])
    expect(case.locator("[data-failures]")).to_contain_text(f"This is of {first}")

    cases.get_by_role("button", name=f"Go to {first}").click()
    expect(cases.locator("#cases")).not_to_contain_text("TWO-2")
    case.get_by_role("button", name="Try again").click()
    expect(case.locator("#live")).to_have_attribute("data-state", "done")
    screen.complaints.clear()  # the browser speaks of every 409


def test_who_is_put_out_of_a_lab_chooses_another(stack, of_two_labs):
    screen, first, second = of_two_labs
    screen.page.goto(f"{screen.url}/worklist/")
    change = (
        "from webapp.labs.models import Membership;"
        f"Membership._base_manager.filter(lab__name={first!r}, role='technician').update(active=False)"
    )
    stack.stack.manage("shell", "--no-imports", "--command", change)
    screen.page.reload()
    heading = screen.page.get_by_role("heading", level=1)
    expect(heading).to_have_text(f"You are no longer a member of {first}")
    screen.page.locator("main").get_by_role("button", name=second).click()
    expect(screen.page.locator(".account-lab")).to_have_text(second)
    screen.complaints.clear()
