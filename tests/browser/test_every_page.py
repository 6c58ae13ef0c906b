"""What holds for every page: it fits narrow screens, is accessible in light and dark."""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from django.urls import resolve
from playwright.sync_api import Page, Route, ViewportSize, expect

from tests.browser.conftest import WIDE, new_context, new_screen
from tests.browser.looking import AXE
from tests.permissions.endpoints import ENDPOINTS
from webapp.ui.urls import urlpatterns

NARROW: ViewportSize = {"width": 360, "height": 740}


def _class(page: Page) -> None:
    page.locator(".tab:not(#tab-all)").first.click()
    expect(page.locator("#gallery .class-section")).to_have_count(1)


def _dialog(page: Page) -> None:
    page.locator(".tile").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()


def _evidence(page: Page) -> None:
    _dialog(page)
    page.get_by_label("Show evidence").check()


def _signed_out(page: Page) -> None:
    page.context.clear_cookies()
    page.reload()


def _change(page: Page) -> None:
    page.locator(".change summary").first.click()
    expect(page.get_by_role("button", name="Set role").first).to_be_visible()


def _new_token(page: Page) -> None:
    page.get_by_label("What it is for").fill("Analyser")
    page.get_by_label("See cases, their images and counts").check()
    page.get_by_role("button", name="Make token").click()
    expect(page.locator("#secret")).to_be_visible()


def _new_job(page: Page) -> None:
    page.get_by_role("button", name="as CSV").click()
    expect(page.get_by_role("link", name="Download").first).to_be_visible()


def _invited(page: Page) -> None:
    who = f"somebody-{uuid.uuid4().hex}@department.hospital.example"
    page.get_by_label("Invite", exact=True).fill(who)
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_text(f"on its way to {who}")).to_be_visible()


def _proposed(page: Page) -> None:
    page.get_by_role("button", name="Propose the set").click()
    expect(page.get_by_role("button", name="Approve what is ticked")).to_be_visible()


def _review(page: Page) -> None:
    page.get_by_role("button", name="Review").click()
    page.get_by_role("button", name=re.compile("Begin the review|Take the tour")).first.wait_for()
    expect(page.locator(".rv-picture").first).to_be_visible()


def _large(page: Page) -> None:
    _review(page)
    page.locator("#gallery").focus()
    page.keyboard.press(" ")
    expect(page.get_by_text("What the model said")).to_be_visible()


def _keys(page: Page) -> None:
    _review(page)
    page.get_by_role("button", name="All keys").click()
    page.get_by_role("button", name="Change keys").click()


def _other(page: Page) -> None:
    _review(page)
    page.locator("#gallery").focus()
    page.keyboard.press("o")
    expect(page.get_by_label("In your words")).to_be_focused()


def _answer(page: Page, **told: object) -> None:
    """Let the page hear an answer to what it decides of a cell: the case is shown to other tests, too."""

    def answer(route: Route) -> None:
        cell = json.loads(route.request.post_data or "")["decisions"][0]["cell"]
        whole = {"revision": 1, "applied": [], "conflicts": [], "changes": [], "people": {"0": "Ada"}, **told}
        route.fulfill(body=json.dumps(whole).replace('"THE CELL"', str(cell)))

    page.route("**/decisions/", answer)
    page.route("**/changes/*", lambda route: route.fulfill(status=204))


def _other_again(page: Page) -> None:
    _other(page)
    _answer(page, applied=[["THE CELL", "other", 0]])
    page.keyboard.press("Enter")
    page.locator("[data-cell].is-decided").dblclick()
    expect(page.get_by_role("button", name="Say what it is")).to_be_visible()


def _conflicts(page: Page) -> None:
    """Somebody else decided the cell meanwhile, or so the page hears."""
    _review(page)
    now = {
        "cell": "THE CELL",
        "class": "blast",
        "by": 0,
        "number": 1,
        "suggested": "monocyte",
        "flagged": False,
    }
    _answer(page, conflicts=[now])
    page.locator("#gallery").focus()
    page.keyboard.press("u")
    page.get_by_role("button", name="Look at them").click()
    expect(page.get_by_text("Ada: Blast. You: Not classed.")).to_be_visible()


def _count(page: Page) -> None:
    _review(page)
    page.set_viewport_size(NARROW)
    page.get_by_role("button", name="Count").click()
    expect(page.locator("#differential")).to_be_visible()


def _filter(page: Page) -> None:
    _review(page)
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_label("Undecided only")).to_be_visible()


def _rule(page: Page) -> None:
    if page.get_by_role("button", name="Take them over").is_visible():
        page.get_by_role("button", name="Take them over").click()
    page.locator(".rules th a").first.click()
    expect(page.get_by_label("Name")).to_be_visible()


def _remarks(page: Page) -> None:
    _review(page)
    page.locator("#gallery").focus()
    page.keyboard.press("k")
    expect(page.get_by_role("group", name="Schistocytes")).to_be_visible()


def _worklist_keys(page: Page) -> None:
    page.get_by_label("Main").get_by_role("link", name="Worklist").click()
    expect(page.locator("#show-keys")).to_be_visible()
    page.keyboard.press("?")
    page.get_by_role("button", name="Change keys").click()


def _assign(page: Page) -> None:
    page.get_by_role("link", name=re.compile("^Assign")).first.click()
    expect(page.get_by_role("group", name="Whose work it is")).to_be_visible()


def _worklist_filters(page: Page) -> None:
    page.get_by_label("Main").get_by_role("link", name="Worklist").click()
    page.get_by_text("Filter and order").click()
    page.locator("select[name=assignee]").select_option("me")
    page.get_by_label("Keep this filter as").fill(uuid.uuid4().hex)
    page.get_by_role("button", name="Keep").click()


# How to come to each page from that of a case, or from the address below.
PAGES: dict[str, Callable[[Page], object]] = {
    "case": lambda page: None,
    "class": _class,
    "dialog": _dialog,
    "evidence": _evidence,
    "review": _review,
    "review: a cell large": _large,
    "review: keys": _keys,
    "review: other": _other,
    "review: filter": _filter,
    "review: remarks": _remarks,
    "checks": lambda page: page.goto(f"{page.url}checks/"),
    "agreement": lambda page: page.goto(f"{page.url}agreement/"),
    "review: what other is": _other_again,
    "review: conflicts": _conflicts,
    "review: count": _count,
    "cell": lambda page: page.goto(page.locator(".tile").first.evaluate("tile => tile.href")),
    "files": lambda page: page.get_by_role("link", name="All files of this case").click(),
    "outstanding files": lambda page: page.get_by_label("Main").get_by_role("link", name="Files").click(),
    "patient": lambda page: page.goto(f"{page.url}patient/"),
    "specimen": lambda page: page.goto(f"{page.url}specimen/"),
    "worklist": lambda page: page.get_by_label("Main").get_by_role("link", name="Worklist").click(),
    "worklist: keys": _worklist_keys,
    "worklist: filters": _worklist_filters,
    "assigning a case": _assign,
    "taking a case": lambda page: page.goto(f"{page.url}take/"),
    "earlier results": lambda page: page.goto(f"{page.url}history/"),
    "calls": lambda page: page.goto(f"{page.url}calls/"),
    "menu": lambda page: page.locator(".account summary").click(),
    "menu of an operator": lambda page: page.locator(".account summary").click(),
    "status": lambda page: page.goto("/".join(page.url.split("/")[:3]) + "/status/"),
    "missing": lambda page: page.goto(page.url + "nothing/"),
    "sign-in": _signed_out,
    "changing a member": _change,
    "a rule": _rule,
    "a new token": _new_token,
    "a new job": _new_job,
    "invited": _invited,
    "proposed ranges": _proposed,
}


# Pages by who sees them, and where; nobody has signed in to some.
BY_ADDRESS: dict[str, tuple[str | None, str]] = {
    "models": ("lab_supervisor", "/models/"),
    "their worklist": ("lab_supervisor", "/worklist/"),
    "assigning a case": ("lab_supervisor", "/worklist/"),
    "filters of one's own": ("technician", "/worklist/filters/"),
    "critical results": ("technician", "/critical/"),
    "limits of changes": ("lab_supervisor", "/lab/delta-limits/"),
    "audit": ("admin", "/audit/"),
    "audit of a person": ("admin", "/audit/?actor=0&subject=nothing"),
    "audit of the installation": ("operator", "/installation/audit/"),
    "menu of an operator": ("operator", "/installation/audit/"),
    "name": ("technician", "/accounts/name/"),
    "members": ("admin", "/lab/members/"),
    "changing a member": ("admin", "/lab/members/"),
    "invited": ("admin", "/lab/members/"),
    "roles": ("admin", "/lab/roles/"),
    "lab settings": ("admin", "/lab/settings/"),
    "signing in the lab": ("admin", "/lab/signing/"),
    "signing PIN": ("technician", "/accounts/signing-pin/"),
    "reference ranges": ("technician", "/lab/ranges/"),
    "proposed ranges": ("lab_supervisor", "/lab/ranges/"),
    "tokens of the lab": ("admin", "/lab/tokens/"),
    "rules": ("lab_supervisor", "/lab/rules/"),
    "a rule": ("lab_supervisor", "/lab/rules/"),
    "a new rule": ("lab_supervisor", "/lab/rules/new/"),
    "leaving": ("technician", "/lab/leave/"),
    "tokens": ("technician", "/tokens/"),
    "jobs": ("admin", "/jobs/"),
    "a new job": ("admin", "/audit/"),
    "notifications": ("technician", "/notifications/"),
    "what one is told": ("technician", "/notifications/preferences/"),
    "a new token": ("technician", "/tokens/"),
    "no invitation": (None, "/invitations/made-up/"),
    "e-mail": ("technician", "/accounts/email/"),
    "password": ("technician", "/accounts/password/change/"),
    "second factor": ("technician", "/accounts/2fa/"),
    "authenticator app": ("technician", "/accounts/2fa/totp/activate/"),
    "security key": ("technician", "/accounts/2fa/webauthn/add/"),
    "sessions": ("technician", "/accounts/sessions/"),
    "other services": ("technician", "/accounts/3rdparty/"),
    "is it still you": ("technician", "/accounts/reauthenticate/"),
    "sign-up": (None, "/accounts/signup/"),
    "sign-in by code": (None, "/accounts/login/code/"),
    "forgotten password": (None, "/accounts/password/reset/"),
}

# Addresses that are in PAGES, and those that are none of a page: parts, pictures, files, and ways on.
BY_CLICK = {
    "files/",
    "cases/<uuid:case_id>/",
    "cases/<uuid:case_id>/cells/<int:cell_id>/",
    "cases/<uuid:case_id>/files/",
    "cases/<uuid:case_id>/patient/",
    "cases/<uuid:case_id>/specimen/",
    "cases/<uuid:case_id>/review/",
    "cases/<uuid:case_id>/checks/",
    "cases/<uuid:case_id>/agreement/",
    "lab/rules/<uuid:rule_id>/",
    "cases/<uuid:case_id>/take/",
    "cases/<uuid:case_id>/history/",
    "cases/<uuid:case_id>/calls/",
    "cases/<uuid:case_id>/assign/",
    # In test_technician.py.
    "cases/<uuid:case_id>/files/<int:image_id>/set-aside/",
    # In test_earlier_results.py, by who signs.
    "cases/<uuid:case_id>/sign/",
    "cases/<uuid:case_id>/result/",
    "cases/<uuid:case_id>/results/<int:version>/",
    "cases/<uuid:case_id>/amend/",
    "cases/<uuid:case_id>/void/",
}
NO_PAGES = {
    "",
    "cases/new/",
    "cases/<uuid:case_id>/live/",
    "cases/<uuid:case_id>/gallery/",
    "cases/<uuid:case_id>/tiles/<cells:cell_ids>.jpg",
    "installation/audit/export.csv",
    "lab/ranges/export.csv",
    "jobs/live/",
    "scripts/<slug:language>/<slug:digest>.js",
    "jobs/<uuid:job_id>/result/",
    "installation/audit/export.jsonl",
}


def test_every_page_of_ours_is_looked_at():
    by_address = {resolve(urlsplit(path).path).route for _, path in BY_ADDRESS.values()}
    pages = {
        str(pattern.pattern) for pattern in urlpatterns if "GET" in ENDPOINTS.get(str(pattern.pattern), {})
    }
    assert pages - by_address - BY_CLICK == NO_PAGES


@pytest.fixture(scope="module", params=dict.fromkeys([*PAGES, *BY_ADDRESS]))
def shown(
    request,
    chromium,
    stack,
    signed_in,
    signed_in_supervisor,
    signed_in_admin,
    signed_in_operator,
    filled_case,
) -> Iterator[Page]:
    """Each page, opened once for all that is asked of it."""
    people = {
        "technician": signed_in,
        "lab_supervisor": signed_in_supervisor,
        "admin": signed_in_admin,
        "operator": signed_in_operator,
    }
    wanted = request.param
    who, path = BY_ADDRESS.get(wanted, ("technician", filled_case))
    with new_context(chromium) as context, new_screen(context, stack.url) as screen:
        page = screen.page
        if who:
            context.add_cookies(people[who]["cookies"])
        page.goto(screen.url + path)
        if wanted in PAGES:
            PAGES[wanted](page)
        page.wait_for_load_state("networkidle")
        if wanted in ("missing", "no invitation"):
            screen.complaints.clear()
        yield page


def test_nothing_is_wider_than_a_narrow_screen(shown):
    shown.set_viewport_size(NARROW)
    assert shown.evaluate("document.documentElement.scrollWidth") <= 360
    outside = shown.evaluate(
        """() => [...document.querySelectorAll("body *:not(.hidden, .skip, svg *)")]
            .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
            .map(e => e.outerHTML.slice(0, 80))"""
    )
    assert outside == []


def test_axe_finds_nothing_serious(shown, request):
    of_review = request.node.callspec.params["shown"].startswith("review")
    shown.evaluate(AXE)
    serious = []
    for size in (WIDE, NARROW) if of_review else (WIDE,):  # what it shows differs by more than its width
        shown.set_viewport_size(size)
        for scheme in ("light", "dark"):
            shown.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            for violation in shown.evaluate("axe.run().then(result => result.violations)"):
                if violation["impact"] in ("serious", "critical"):
                    where = [node["html"][:120] for node in violation["nodes"][:3]]
                    serious.append((size["width"], scheme, violation["id"], violation["help"], where))
    assert serious == []


def test_dark_is_dark(screen):
    screen.page.emulate_media(color_scheme="dark")
    screen.page.goto(screen.url)
    ground = screen.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(16, 19, 23)"


LONGER = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    const main = /^(BUTTON|LABEL|A|H1|H2|H3|TH|SUMMARY|DT|SPAN|OPTION)$/
    for (let node; (node = walker.nextNode());)
        if (main.test(node.parentElement.tagName) && !node.parentElement.closest(".file, .mono"))
            node.data = node.data.replace(/[A-Za-z]{4,12}\\b/g, "$&ungs")
}"""


def test_longer_words_of_another_language_fit_a_narrow_screen(shown):
    """The last: it changes the page."""
    shown.set_viewport_size(NARROW)
    shown.evaluate(LONGER)
    assert shown.evaluate("document.documentElement.scrollWidth") <= 360
