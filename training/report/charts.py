"""Figures of reports as inline SVG, readable in print, without colour, and by screen readers."""

from collections.abc import Sequence
from html import escape

from markupsafe import Markup
from scipy.stats import binomtest

from training.evaluation.scores import ConfidenceBin

Point = tuple[float, float]

COLOURS = ("#0060a8", "#806400", "#a3006a", "#0f7355")  # of image sets, in turn; each 5:1 on white
DASHES = ("", "7 3", "2 3", "9 3 2 3")
INK, MUTED, LINE = "#1a212c", "#545e6c", "#c9ced6"


def colour_of(which: int) -> str:
    """Of the image set of this number."""
    return COLOURS[which % len(COLOURS)]


def dash_of(which: int) -> str:
    """The pattern of its lines, which tells sets apart without colour."""
    return DASHES[which % len(DASHES)]


class Plot:
    """Axes with a title, on which lines and points are drawn in the units of the data.

    Args:
        title: shown above.
        description: what is to be seen, for screen readers.
        x, y: names of the axes; both begin at 0.
        top: the highest y, 0 to 1.
        width: of the drawing, pixels; it is square but for its margins.
    """

    def __init__(
        self, title: str, description: str, *, x: str, y: str, top: float = 1.0, width: int = 340
    ) -> None:
        self._heading = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
        self._top, self._width = top, width
        self._left, self._right, self._above, self._below = 58, 24, 26, 40
        self._side = width - self._left - self._right
        self._parts: list[str] = []
        self._text(2, 15, title, "start", INK, "bold")
        self._text(self._left + self._side / 2, self._height - 6, x, "middle", MUTED)
        self._text(
            0, 0, y, "middle", MUTED, place=f"translate(12 {self._above + self._side / 2}) rotate(-90)"
        )
        ticks = 4 if self._side > 200 else 2
        for step in range(ticks + 1):
            share = step / ticks
            self.line([(share, 0), (share, top)], LINE, width=0.7)
            self.line([(0, share * top), (1, share * top)], LINE, width=0.7)
            across, up = self._at((share, share * top))
            self._text(across, self._height - 23, _percent(share), "middle")
            self._text(self._left - 6, up + 4, _percent(share * top), "end")

    def line(self, points: Sequence[Point], colour: str, dash: str = "", width: float = 2) -> None:
        """A line through points."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(self._at, points))
        self._parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" '
            f'stroke-dasharray="{dash}" stroke-linejoin="round"/>'
        )

    def bar(self, low: float, high: float, top: float, colour: str) -> None:
        """A bar from 0 to `top` between two places of the x axis."""
        (left, up), (right, down) = self._at((low, top)), self._at((high, 0))
        self._parts.append(
            f'<rect x="{left + 0.5:.1f}" y="{up:.1f}" width="{right - left - 1:.1f}" '
            f'height="{down - up:.1f}" fill="{colour}"/>'
        )

    def dot(self, point: Point, colour: str, says: str, radius: float = 4) -> None:
        """A dot that says something under the mouse."""
        x, y = self._at(point)
        self._parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}" stroke="#fff">'
            f"<title>{escape(says)}</title></circle>"
        )

    def label(self, point: Point, text: str) -> None:
        """Text above a point, on the side where there is room."""
        x, y = self._at(point)
        leftward = point[0] > 0.5
        self._text(x + (-7 if leftward else 7), y - 7, text, "end" if leftward else "start")

    def svg(self) -> Markup:
        """The figure as an element."""
        return Markup(  # noqa: S704  (every text in it was escaped above)
            f'<svg role="img" viewBox="0 0 {self._width} {self._height}" font-size="12" fill="{INK}">'
            f"{self._heading}{''.join(self._parts)}</svg>"
        )

    @property
    def _height(self) -> int:
        return self._above + self._side + self._below

    def _at(self, point: Point) -> Point:
        return (
            self._left + point[0] * self._side,
            self._above + (1 - min(point[1], self._top) / self._top) * self._side,
        )

    def _text(
        self,
        x: float,
        y: float,
        text: str,
        anchor: str,
        colour: str = INK,
        weight: str = "normal",
        place: str = "",
    ) -> None:
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-weight="{weight}"'
            f' transform="{place}">{escape(text)}</text>'
        )


def reliability_diagram(bins: Sequence[ConfidenceBin], title: str, which: int) -> Markup:
    """Accuracy against confidence, with 95 % Wilson intervals; grey bars are the share of cells in a bin."""
    total = sum(one.images for one in bins)
    described = [
        f"{_percent(one.accuracy)} of {one.images} right at a confidence of {_percent(one.confidence)}"
        for one in bins
    ]
    plot = Plot(title, "; ".join(described), x="confidence", y="share that is right")
    for one in bins:
        plot.bar(one.low, one.high, one.images / total, "#dfe3e9")
    plot.line([(0, 0), (1, 1)], MUTED, "3 3", 1)
    for one, says in zip(bins, described, strict=True):
        right = binomtest(round(one.accuracy * one.images), one.images)
        interval = right.proportion_ci(method="wilson")
        plot.line(
            [(one.confidence, interval.low), (one.confidence, interval.high)], colour_of(which), width=1.5
        )
        plot.dot((one.confidence, one.accuracy), colour_of(which), says)
    return plot.svg()


def risk_coverage_curve(curve: Sequence[Point], rule: Point | None, title: str, which: int) -> Markup:
    """Share of mistakes among the surest cells against their share; `rule`: where the rule of review lies."""
    highest = max(risk for coverage, risk in curve if coverage > 0.02 or coverage == curve[-1][0])
    top = next(top for top in (0.02, 0.04, 0.08, 0.2, 0.4, 0.6, 0.8, 1) if highest <= top)
    described = f"{_percent(curve[-1][1])} are mistakes if all cells are kept."
    if rule:
        described += f" The rule of review keeps {_percent(rule[0])}, with {_percent(rule[1])} mistakes."
    plot = Plot(title, described, x="share of cells kept, surest first", y="mistakes among them", top=top)
    plot.line(curve, colour_of(which))
    if rule:
        plot.dot(rule, INK, f"kept {_percent(rule[0])}, mistakes {_percent(rule[1])}", 5)
        plot.label(rule, "rule of review")
    return plot.svg()


def roc_curves(curves: Sequence[tuple[int, Sequence[Point]]], title: str, described: str) -> Markup:
    """One class against the rest: a curve for each set of images, which is given by its number."""
    plot = Plot(title, described, x="false positives", y="true positives", width=190)
    plot.line([(0, 0), (1, 1)], MUTED, "3 3", 1)
    for which, curve in curves:
        plot.line(curve, colour_of(which), dash_of(which))
    return plot.svg()


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
