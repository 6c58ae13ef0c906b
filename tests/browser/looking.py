"""What is on a screen, in each size, light and dark: judged, and kept where somebody wants to look."""

import os
from pathlib import Path

from playwright.sync_api import Page, ViewportSize

AXE = (Path(__file__).parent / "vendor" / "axe-core-4.14.1.min.js").read_text()
SCREENS = os.environ.get("SCREENS")  # a folder, to look at what was seen
SIZES: dict[str, ViewportSize] = {
    "1440": {"width": 1440, "height": 900},
    "1280": {"width": 1280, "height": 800},
    "360": {"width": 360, "height": 740},
}


def looked_at(page: Page, name: str) -> None:
    """Axe finds nothing serious, and no page is wider than its screen. Where somebody wants to look, what is
    on the screen is kept, in each size, light and dark."""
    before = page.viewport_size
    page.evaluate(AXE)
    for size, view in SIZES.items():
        for scheme in ("light", "dark"):
            page.set_viewport_size(view)
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            found = page.evaluate("axe.run().then(result => result.violations)")
            assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
            assert page.evaluate("document.documentElement.scrollWidth") <= view["width"]
            if SCREENS:
                page.screenshot(path=str(Path(SCREENS) / f"{name}-{size}-{scheme}.png"), full_page=True)
    page.emulate_media(color_scheme="light")
    if before:
        page.set_viewport_size(before)
