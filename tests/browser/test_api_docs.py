"""The page that describes the API, which a library draws: under our content security policy."""

from playwright.sync_api import expect


def test_it_is_drawn_and_the_policy_stops_nothing(screen) -> None:
    screen.page.goto(f"{screen.url}/api/v1/docs/")
    screen.page.locator(".opblock-summary").first.click()
    expect(screen.page.get_by_text("Parameters").first).to_be_visible()
    assert screen.complaints == []
