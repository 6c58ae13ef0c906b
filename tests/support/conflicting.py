"""Two people at two browsers who decide the same cells at the same time, each otherwise than the other.

What the pages say, what the server answered and what is in the log must come to the same.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page, Response, expect

CELLS_OF_A_GESTURE = 3
AT_ONCE = 2  # gestures that each makes before the other can have heard of any

# Gestures by mouse and key, one behind the other without waiting: [cells, key] each.
GESTURES = """(gestures) => {
    const click = (id, more) => document.getElementById(`cell-${id}`)
        .dispatchEvent(new MouseEvent("click", { bubbles: true, ...more }));
    for (const [cells, key] of gestures) {
        for (const [place, cell] of cells.entries()) click(cell, { ctrlKey: place > 0 });
        dispatchEvent(new KeyboardEvent("keydown", { key }));
    }
    return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
}"""

# Each cell that is drawn, with the class that it is decided to be.
SHOWN = """() => Object.fromEntries([...document.querySelectorAll("[data-cell]")].map((cell) => [
    cell.dataset.cell,
    cell.classList.contains("is-decided") ? cell.closest(".rv-section").dataset.class : "",
]))"""

# For `python -m webapp shell`: prints what is in the log of a case's reading.
LOG = """
import json
from webapp.review.models import Decision, Gesture, Reading
reading = Reading._base_manager.get(case="{case}", kind="first")
gestures = Gesture._base_manager.filter(reading=reading).order_by("revision")
decisions = Decision._base_manager.filter(reading=reading).order_by("number")
print(json.dumps({{
    "revision": reading.revision,
    "gestures": [str(one.id) for one in gestures],
    "decisions": [[one.number, str(one.gesture_id), one.cell_id, one.cell_class] for one in decisions],
}}))
"""


@dataclass
class Reviewer:
    """Somebody at a page, with the gestures that it sent and what the server said of each."""

    page: Page
    keys: str
    answers: list[Response] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("response", self._heard)

    def _heard(self, answer: Response) -> None:
        if answer.url.endswith("/decisions/"):
            self.answers.append(answer)

    def begin(self, gestures: list[tuple[list[int], str]]) -> None:
        self.page.evaluate(f"gestures => {{ globalThis.made = ({GESTURES})(gestures); }}", gestures)

    def end(self) -> None:
        self.page.evaluate("() => globalThis.made")
        expect(self.page.locator(".rv-saved")).to_have_text("Saved")

    def shown(self) -> dict[str, str]:
        found: dict[str, str] = self.page.evaluate(SHOWN)
        return found

    def asked(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """What was sent, and the answer to it."""
        return [(json.loads(one.request.post_data or ""), one.json()) for one in self.answers]


@dataclass(frozen=True)
class Found:
    """What came of it."""

    gestures: int
    decided: int
    conflicts: int
    """Cells that stayed as the other had decided: each came back, to be asked."""
    seconds_until_equal: float

    def __str__(self) -> str:
        return (
            f"{self.gestures} gestures of two people on the same cells at once: {self.decided} decisions, "
            f"all in the log; {self.conflicts} cells came back to be asked; both pages equal after "
            f"{self.seconds_until_equal:.1f} s"
        )


def contest(one: Page, other: Page, gestures: int, log: Callable[[], str]) -> Found:
    """Let two people decide the same cells at the same time, and check that nothing is lost.

    All of the case's cells are drawn on both pages, and undecided.

    Args:
        gestures: how many, of both together, before one of them decides anew what came back.
        log: gives what `LOG` prints.
    """
    both = Reviewer(one, "mb"), Reviewer(other, "le")
    cells = sorted(int(cell) for cell in both[0].shown())
    groups = [cells[at : at + CELLS_OF_A_GESTURE] for at in range(0, len(cells), CELLS_OF_A_GESTURE)]
    for turn in range(gestures // (2 * AT_ONCE)):
        mine = [groups[(AT_ONCE * turn + step) % len(groups)] for step in range(AT_ONCE)]
        # The other begins with what the one ends with, so each is first somewhere.
        for reviewer, wanted in zip(both, (mine, mine[::-1]), strict=True):
            reviewer.begin([(group, reviewer.keys[turn % 2]) for group in wanted])
        for reviewer in both:
            reviewer.end()
    for reviewer, answer in zip(both, ("Decide all as I did", "Keep all as they are"), strict=True):
        reviewer.page.get_by_role("button", name="Look at them").click()
        reviewer.page.get_by_role("button", name=answer).click()
        expect(reviewer.page.get_by_role("dialog")).to_have_count(0)
        reviewer.end()
    began = time.monotonic()
    while both[0].shown() != both[1].shown():
        assert time.monotonic() - began < 10, "the two pages never show the same"
        one.wait_for_timeout(50)
    equal = time.monotonic() - began
    return _checked(both, json.loads(log()), gestures, equal)


def _checked(both: tuple[Reviewer, Reviewer], kept: dict[str, Any], least: int, equal: float) -> Found:
    asked = [pair for reviewer in both for pair in reviewer.asked()]
    of_gesture: dict[str, list[tuple[int, str]]] = {gesture: [] for gesture in kept["gestures"]}
    for _, gesture, cell, code in kept["decisions"]:
        of_gesture[gesture].append((cell, code))
    assert [number for number, *_ in kept["decisions"]] == list(range(1, kept["revision"] + 1))
    assert sorted(sent["gesture"] for sent, _ in asked) == sorted(of_gesture), "each is in the log once"
    assert len(asked) > least
    conflicts = 0
    for sent, answer in asked:
        wanted = {one["cell"]: one["class"] for one in sent["decisions"]}
        decided = dict(of_gesture[sent["gesture"]])
        came_back = {one["cell"] for one in answer["conflicts"]}
        conflicts += len(came_back)
        assert decided == {cell: code for cell, code, _ in answer["applied"]}
        assert decided == {cell: code for cell, code in wanted.items() if cell not in came_back}
    last = {str(cell): code for *_, cell, code in kept["decisions"]}
    for reviewer in both:
        assert {cell: code for cell, code in reviewer.shown().items() if code} == last
    assert conflicts, "nobody was in the other's way"
    return Found(len(asked), kept["revision"], conflicts, equal)
