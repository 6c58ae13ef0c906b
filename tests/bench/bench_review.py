"""`make bench-review`: how many keys a review of 200 cells takes; what gestures and the first load cost.

In a stack of its own. A program walks the shortest path that a person would find: it looks only at what is on
the screen, corrects what is wrong there, and confirms the rest. Ten of the 200 real cells are suggested
wrong: as surely as the model is when it errs, at random, or half of each. Then two people decide the same
cells at the same time.
"""

import json
import logging
import os
import random
import statistics
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from rich.console import Console

from infra.client.client import Client
from infra.local.config.environment import owner
from infra.local.config.secrets import Secrets
from infra.local.stack import Stack
from tests.bench.bench_case_page import CHROMIUM, EMAIL, fill
from tests.support import conflicting
from tests.support.stack import free_settings

ORIGINALS = Path(__file__).parents[3] / "shared" / "data" / "pbc_originals"
OF_EACH_CLASS, WRONG = 25, 10
SCREEN, ALL_CELLS = {"width": 1440, "height": 900}, {"width": 1440, "height": 6000}
# A keystroke model: seconds for a key, to look over a screen of cells, and to see what a wrong one is.
KEY_S, SCREEN_S, WRONG_S = 0.3, 3.0, 1.0
MOST_KEYS = {"as the model errs": 45, "at random": 70}
LONGEST_S = {"as the model errs": 60, "at random": 75}
SIZES = (1_000, 15_000)
GESTURES, OF_A_GESTURE = 30, 200
CONTESTED, CONFLICTING = 200, 200  # cells, and gestures of two people on them
SLOW = {"offline": False, "latency": 300, "downloadThroughput": 125_000, "uploadThroughput": 125_000}

Say = Callable[[str], None]

# What is to be seen: the focused cell, and of its section the cells that are wholly on the screen.
LOOK = """() => {
    const gallery = document.getElementById("gallery");
    const focus = document.getElementById(gallery.getAttribute("aria-activedescendant"));
    const section = focus?.closest(".rv-section");
    const head = section?.querySelector(".rv-head").getBoundingClientRect();
    const edge = gallery.getBoundingClientRect();
    const cells = [...(section?.querySelectorAll("[data-cell]") ?? [])].map((cell) => {
        const box = cell.querySelector(".rv-square").getBoundingClientRect();
        return {
            id: Number(cell.dataset.cell), left: Math.round(box.left), top: Math.round(box.top),
            decided: cell.classList.contains("is-decided"),
            seen: box.top >= head.bottom - 1 && box.bottom <= edge.bottom + 1
                && Boolean(cell.querySelector(".rv-picture")),
        };
    });
    return {
        focus: focus ? Number(focus.dataset.cell) : null, section: section?.dataset.class ?? "unidentified",
        cells, top: gallery.scrollTop, undecided: Number(document.querySelector(".rv-progress progress").max
            - document.querySelector(".rv-progress progress").value),
    };
}"""


KEYS = """() => [...document.querySelectorAll(".rv-class")].map((button) => [
    button.dataset.code, button.querySelector("kbd").textContent.toLowerCase(),
])"""


@dataclass
class Walk:
    """One review, from the first look to the last cell."""

    keys: int = 0
    wrong: int = 0
    screens: int = 0

    @property
    def seconds(self) -> float:
        return self.keys * KEY_S + self.screens * SCREEN_S + self.wrong * WRONG_S


def main(say: Say) -> None:
    if not ORIGINALS.is_dir():
        say(f"NOT MEASURED: the cells of this bench are in {ORIGINALS}, which is not here.")
        return
    with tempfile.TemporaryDirectory(prefix="hematovision-bench-") as folder:
        home = Path(folder) / "var"
        stack = Stack(free_settings(home))
        stack.start()
        try:
            members = [f"--member={EMAIL}:technician", f"--member=other-{EMAIL}:pathologist"]
            made = json.loads(stack.manage("create_lab", "Bench", "--json", *members))["members"]
            os.environ.update(stack.environment, **owner(stack.settings, Secrets.load(home)))
            # The browser's library runs a loop in this thread, in which Django speaks to no database.
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
            from webapp.config.environment import set_up

            set_up()
            logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each request else
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                try:
                    Bench(stack, made, browser, say).run()
                finally:
                    browser.close()
        finally:
            stack.stop()


class Bench:
    def __init__(self, stack: Stack, members: list[dict[str, Any]], browser: Browser, say: Say) -> None:
        self.stack, self.say = stack, say
        self.member, self.other = members
        self.url = stack.settings.url
        self.browser = browser
        self.context = browser.new_context(viewport=SCREEN)  # type: ignore[arg-type]
        self.truth = {path.name: path.parent.name for path in ORIGINALS.glob("*/*.jpg")}

    def run(self) -> None:
        page = self.signed_in(self.context, self.member)
        mistakes = self.confidences_of_mistakes()
        kinds = {"as the model errs": WRONG, "at random": 0, "half and half": WRONG // 2}
        for kind, as_it_errs in kinds.items():
            self.walk_and_tell(page, kind, self.case_with_mistakes(kind, mistakes, as_it_errs))
        for size in SIZES:
            self.tell_gestures(fill(size), size)
        self.tell_conflicts(page, fill(CONTESTED))

    def signed_in(self, context: BrowserContext, member: dict[str, Any]) -> Page:
        page = context.new_page()
        page.goto(self.url)
        page.get_by_label("E-mail").fill(member["email"])
        page.get_by_label("Password").fill(member["password"])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/worklist/")
        page.evaluate("localStorage.setItem('review', JSON.stringify({toured: true}))")
        return page

    # --- the walk -----------------------------------------------------------------------------------------

    def confidences_of_mistakes(self) -> list[float]:
        """How sure the model is where it errs, among all cells that are here."""
        self.upload("All", sorted(ORIGINALS.glob("*/*.jpg")))
        rows = self.predictions("All")
        found = sorted(row.confidence for row in rows if row.cell_class != self.truth[row.cell.image.name])
        self.say(
            f"The model errs in {len(found)} of {len(rows)}: {', '.join(f'{one:.3f}' for one in found)}."
        )
        return found

    def case_with_mistakes(self, kind: str, mistakes: list[float], as_it_errs: int) -> uuid.UUID:
        """A case of real cells that are all suggested right but ten: some as surely as the model errs."""
        rng = random.Random(f"review {kind}")
        files = [
            path
            for folder in sorted(ORIGINALS.iterdir())
            for path in sorted(folder.glob("*.jpg"))[:OF_EACH_CLASS]
        ]
        case = self.upload(f"200 {kind}", files)
        rows = self.predictions(f"200 {kind}")
        threshold = rows[0].model_version.review_threshold
        for row in rows:
            row.cell_class = self.truth[row.cell.image.name]
        for n, row in enumerate(rng.sample(rows, WRONG)):
            row.cell_class = rng.choice(
                [one for one in sorted(set(self.truth.values())) if one != row.cell_class]
            )
            if n < as_it_errs:
                row.confidence = rng.choice(mistakes)
                row.flagged = row.confidence < threshold
        self.write(rows)
        return uuid.UUID(case)

    def walk_and_tell(self, page: Page, kind: str, case: uuid.UUID) -> None:
        from webapp.review.models import CellState, Decision

        truth = {row.cell_id: self.truth[row.cell.image.name] for row in self.predictions_of(case)}
        wrong = {row.cell_id for row in self.predictions_of(case) if row.cell_class != truth[row.cell_id]}
        flagged = sum(row.flagged for row in self.predictions_of(case))
        page.goto(f"{self.url}/cases/{case}/")
        page.get_by_role("button", name="Review").click()
        page.wait_for_selector(".rv-picture")
        walk = Walker(page, truth).run()
        expect(page.locator(".rv-saved")).to_have_text("Saved", timeout=30_000)
        now = dict(CellState._base_manager.filter(reading__case=case).values_list("cell_id", "cell_class"))
        assert now == truth, {
            cell: (now.get(cell), truth[cell]) for cell in truth if now.get(cell) != truth[cell]
        }
        changed = set(
            Decision._base_manager.filter(reading__case=case, confirmed=False).values_list(
                "cell_id", flat=True
            )
        )
        assert changed == wrong, "what was right was confirmed, and what was wrong changed"
        self.say(
            f"{kind}: {len(truth)} cells, {flagged} flagged, {len(wrong)} suggested wrong. "
            f"keys: {walk.keys}; {walk.screens} screens, {walk.seconds:.0f} s by the keystroke model"
            + _bar(walk.keys, MOST_KEYS.get(kind))
            + _bar(walk.seconds, LONGEST_S.get(kind))
            + "."
        )

    # --- what it costs --------------------------------------------------------------------------------------

    def tell_gestures(self, case: uuid.UUID, size: int) -> None:
        first = self.context.new_page()
        first.goto(f"{self.url}/cases/{case}/review/")
        first.get_by_role("button", name="Begin the review").click()
        first.wait_for_selector(".rv-picture")
        first.close()
        load = self.first_load(case)
        slow = self.first_load(case, SLOW)
        page = self.context.new_page()
        page.goto(f"{self.url}/cases/{case}/review/")
        page.wait_for_selector(".rv-picture")
        expect(page.locator(".rv-progress progress")).to_have_attribute("max", f"{size}")
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(3000)
        drawn = page.evaluate(GESTURE, [GESTURES, OF_A_GESTURE])
        scrolled = page.evaluate(SCROLL)
        page.close()
        self.say(
            f"{size} cells: until cells are drawn {load['bytes'] / 1000:.0f} kB, {load['requests']} "
            f"requests, {load['seconds']:.2f} s; on 1 Mbit/s with 300 ms {slow['seconds']:.1f} s. "
            f"Gestures on {OF_A_GESTURE} cells: drawn after {_p95(drawn['drawn']):.0f} ms, answered after "
            f"{_p95(drawn['answered']):.0f} ms (p95 of {GESTURES}). "
            f"Scrolling: {scrolled['frames']} frames, {len(scrolled['tasks'])} long tasks"
            + (f", the longest {max(scrolled['tasks']):.0f} ms." if scrolled["tasks"] else ".")
        )

    def first_load(self, case: uuid.UUID, line: dict[str, Any] | None = None) -> dict[str, Any]:
        page = self.context.new_page()
        session = self.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.clearBrowserCache")
        if line:
            session.send("Network.emulateNetworkConditions", line)
        sizes: list[int] = []
        session.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
        began = time.perf_counter()
        page.goto(f"{self.url}/cases/{case}/review/", wait_until="commit")
        page.wait_for_selector(".rv-picture", timeout=60_000)
        seconds = time.perf_counter() - began
        until_drawn = {"bytes": sum(sizes), "requests": len(sizes), "seconds": seconds}
        page.close()
        return until_drawn

    def tell_conflicts(self, page: Page, case: uuid.UUID) -> None:
        context = self.browser.new_context()
        theirs = self.signed_in(context, self.other)
        for one in (page, theirs):
            one.set_viewport_size(ALL_CELLS)  # type: ignore[arg-type]
            one.goto(f"{self.url}/cases/{case}/")
            one.get_by_role("button", name="Review").click()
            expect(one.locator("[data-cell] .rv-picture")).to_have_count(CONTESTED)
        script = conflicting.LOG.format(case=case)
        log = partial(self.stack.manage, "shell", "--no-imports", "--command", script)
        self.say(f"{conflicting.contest(page, theirs, CONFLICTING, log)}.")
        context.close()

    # --- cases and what is said of their cells --------------------------------------------------------------

    def upload(self, accession: str, files: list[Path]) -> str:
        with Client(self.url, self.member["token"]) as client:
            case = client.open_case(accession)
            client.upload(case, files)
            client.wait(case.id)
        return case.id

    def predictions(self, accession: str) -> list[Any]:
        from webapp.cases.models import Case

        return self.predictions_of(Case._base_manager.get(accession=accession).pk)

    def predictions_of(self, case: Any) -> list[Any]:
        from webapp.inference.models import Prediction

        found = Prediction._base_manager.filter(cell__image__case=case, current=True)
        return list(found.select_related("cell__image", "model_version").order_by("cell_id"))

    def write(self, rows: list[Any]) -> None:
        from webapp.inference.models import Prediction

        Prediction._base_manager.bulk_update(rows, ["cell_class", "confidence", "flagged"])


class Walker:
    """A person with all the knowledge of what each cell is, but no more to see than what is on the screen."""

    def __init__(self, page: Page, truth: dict[int, str]) -> None:
        self.page, self.truth, self.walk = page, truth, Walk()
        self.keys = dict(page.evaluate(KEYS))

    def run(self) -> Walk:
        place = None
        while True:
            now = self.look()
            if now["undecided"] == 0:
                return self.walk
            here = (now["top"], now["section"] if now["top"] is None else None)
            if here != place:  # other cells came to the screen
                place = here
                self.walk.screens += 1
            self.step(now)

    def step(self, now: dict[str, Any]) -> None:
        focus = now["focus"]
        if now["section"] == "unidentified":
            self.name(focus, now)
            return
        wrong = [
            cell["id"]
            for cell in now["cells"]
            if cell["seen"] and not cell["decided"] and self.truth[cell["id"]] != now["section"]
        ]
        if not wrong:
            self.press("Enter")
            return
        path = min((self.path(now, cell) for cell in wrong), key=len)
        for key in path:
            self.press(key)
        target = self.look()["focus"]
        assert target in wrong
        self.walk.wrong += 1
        self.press(self.keys[self.truth[target]])

    def name(self, cell: int, now: dict[str, Any]) -> None:
        """Say what an unidentified cell is: what is suggested, or something else."""
        label = self.page.locator(f"#cell-{cell}").get_attribute("aria-label") or ""
        if f"most like {self.name_of(self.truth[cell])}," in label:
            self.press("Enter")
        else:
            self.walk.wrong += 1
            self.press(self.keys[self.truth[cell]])

    def name_of(self, code: str) -> str:
        return self.page.locator(f".rv-class[data-code={code}] span").inner_text()

    def path(self, now: dict[str, Any], wanted: int) -> list[str]:
        """The fewest keys from the focused cell to another of its section."""
        ids = [cell["id"] for cell in now["cells"]]
        columns = sum(cell["top"] == now["cells"][0]["top"] for cell in now["cells"])
        last = len(ids) - 1
        start, goal = ids.index(now["focus"]), ids.index(wanted)
        ways: dict[int, list[str]] = {start: []}
        queue = deque([start])
        while queue:
            at = queue.popleft()
            for key, to in (
                ("ArrowRight", at + 1),
                ("ArrowLeft", at - 1),
                ("ArrowDown", min(at + columns, last) if at // columns < last // columns else -1),
                ("ArrowUp", at - columns),
                ("End", last if self.shows_all(now) else -1),
            ):
                if 0 <= to <= last and to not in ways:
                    ways[to] = [*ways[at], key]
                    queue.append(to)
        return ways[goal]

    @staticmethod
    def shows_all(now: dict[str, Any]) -> bool:
        return all(cell["seen"] for cell in now["cells"])

    def look(self) -> dict[str, Any]:
        # All pictures are there. (The page's policy lets no condition be evaluated in it again and again.)
        expect(self.page.locator(".rv-row .rv-square:not(:has(.rv-picture))")).to_have_count(0)
        found: dict[str, Any] = self.page.evaluate(LOOK)
        return found

    def press(self, key: str) -> None:
        self.walk.keys += 1
        self.page.keyboard.press(key)


# So many gestures on so many cells: milliseconds until each is drawn, and until each is answered.
GESTURE = """async ([times, n]) => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    const press = (key, more = {}) => dispatchEvent(new KeyboardEvent("keydown", { key, ...more }));
    const answered = [];
    new PerformanceObserver((list) => {
        const gestures = list.getEntries().filter(({ name }) => name.endsWith("/decisions/"));
        answered.push(...gestures.map(({ duration }) => duration));
    }).observe({ type: "resource" });
    const drawn = [];
    for (let time = 0; time < times; time += 1) {
        press("Escape");
        for (let cell = 1; cell < n; cell += 1) press("ArrowRight", { shiftKey: true });
        await frame();
        const began = performance.now();
        press(time % 2 ? "l" : "m");
        await frame();
        drawn.push(performance.now() - began);
        while (answered.length <= time) await frame();
    }
    return { drawn, answered };
}"""

# Down through the gallery, a good part of a screen in each frame.
SCROLL = """async () => {
    const tasks = [];
    const observer = new PerformanceObserver((list) => {
        tasks.push(...list.getEntries().map(({ duration }) => duration));
    });
    observer.observe({ type: "longtask" });
    const gallery = document.getElementById("gallery");
    gallery.scrollTop = 0;
    let frames = 0;
    while (gallery.scrollTop + gallery.clientHeight < gallery.scrollHeight - 1 && frames < 200) {
        gallery.scrollTop += 240;
        frames += 1;
        await new Promise(requestAnimationFrame);
    }
    return { frames, tasks };
}"""


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def _bar(value: float, most: int | None) -> str:
    return "" if most is None else f" (bar: {most}{'' if value <= most else ', MISSED'})"


if __name__ == "__main__":
    main(Console(soft_wrap=True).print)
