"""Charts of reports: drawn by matplotlib, as SVG elements of the page.

They are readable in print, without colour and by screen readers. Their colours are custom properties of the
page's style sheet (report.css), so that they follow its light and its dark scheme.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from xml.etree import ElementTree as ET

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MultipleLocator
from scipy.stats import binomtest

from training.evaluation.scores import ConfidenceBin

Point = tuple[float, float]

INK, MUTED, GRID, BARS, GROUND = "#1a212c", "#545e6c", "#c9ced6", "#dfe3e9", "#ffffff"
SETS = ("#0060a8", "#806400", "#a3006a", "#0f7355")
"""Of image sets, in turn."""
DASHES: tuple[tuple[float, ...], ...] = ((), (3.5, 1.5), (1, 1.5), (4.5, 1.5, 1, 1.5))
"""Of the lines of image sets, in widths of the line: they tell sets apart without colour."""
TOPS = (0.02, 0.04, 0.08, 0.2, 0.4, 0.6, 0.8, 1)

_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--chart-grid",
    BARS: "--chart-bars",
    GROUND: "--ground",
    **{colour: f"--set-{which}" for which, colour in enumerate(SETS)},
}
_STYLE = {
    "svg.fonttype": "none",  # text stays text, in the fonts of the page
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "lines.linewidth": 1.6,
}
_POINTS_PER_INCH = 72


def colour_of(which: int) -> str:
    """Of the image set of this number, as a style sheet writes it."""
    return f"var({_VARIABLES[SETS[which % len(SETS)]]})"


def reliability_diagram(bins: Sequence[ConfidenceBin], title: str, which: int) -> Markup:
    """Accuracy against confidence, with 95 % Wilson intervals; grey bars are the share of cells in a bin."""
    total = sum(one.images for one in bins)
    points = {
        f"bin-{number}": f"{_percent(one.accuracy)} of {one.images} right at a confidence of "
        f"{_percent(one.confidence)}"
        for number, one in enumerate(bins)
    }
    with _drawing(title) as figure:
        axes = _axes(figure, x="confidence", y="share that is right")
        axes.bar(
            [one.low for one in bins],
            [one.images / total for one in bins],
            [one.high - one.low for one in bins],
            align="edge",
            color=BARS,
            edgecolor=GROUND,
            linewidth=0.6,
        )
        _diagonal(axes)
        for name, one in zip(points, bins, strict=True):
            right = binomtest(round(one.accuracy * one.images), one.images)
            interval = right.proportion_ci(method="wilson")
            colour = SETS[which % len(SETS)]
            axes.plot([one.confidence] * 2, [interval.low, interval.high], color=colour, linewidth=1.2)
            _dot(axes, (one.confidence, one.accuracy), colour, name)
        return _element(figure, title, "; ".join(points.values()), points)


def risk_coverage_curve(curve: Sequence[Point], rule: Point | None, title: str, which: int) -> Markup:
    """Share of mistakes among the surest cells against their share; `rule`: where the rule of review lies."""
    highest = max(risk for coverage, risk in curve if coverage > 0.02 or coverage == curve[-1][0])
    top = next(top for top in TOPS if highest <= top)
    described = f"{_percent(curve[-1][1])} are mistakes if all cells are kept."
    points = {}
    with _drawing(title) as figure:
        axes = _axes(figure, x="share of cells kept, surest first", y="mistakes among them", top=top)
        shares, mistaken = zip(*curve, strict=True)
        axes.plot(shares, [min(one, top) for one in mistaken], color=SETS[which % len(SETS)], clip_on=False)
        if rule:
            kept, mistakes = map(_percent, rule)
            described += f" The rule of review keeps {kept}, with {mistakes} mistakes."
            points["rule"] = f"kept {kept}, mistakes {mistakes}"
            _dot(axes, (rule[0], min(rule[1], top)), INK, "rule", size=6)
            leftward = rule[0] > 0.5
            axes.annotate(
                "rule of review",
                (rule[0], min(rule[1], top)),
                xytext=(-5 if leftward else 5, 5),
                textcoords="offset points",
                horizontalalignment="right" if leftward else "left",
            )
        return _element(figure, title, described, points)


def roc_curves(curves: Sequence[tuple[int, Sequence[Point]]], title: str, described: str) -> Markup:
    """One class against the rest: a curve for each set of images, which is given by its number."""
    with _drawing(title, width=190) as figure:
        axes = _axes(figure, x="false positives", y="true positives", ticks=2)
        _diagonal(axes)
        for which, curve in curves:
            axes.plot(*zip(*curve, strict=True), clip_on=False, **_line(which))
        return _element(figure, title, described)


def swatch(which: int) -> Markup:
    """A piece of the line that stands for an image set, for a key; says nothing to screen readers."""
    with _drawing(f"swatch {which}", width=32, height=10) as figure:
        figure.add_artist(Line2D([0, 1], [0.5, 0.5], **(_line(which) | {"linewidth": 2})))
        return _element(figure)


@contextmanager
def _drawing(name: str, *, width: int = 340, height: int | None = None) -> Iterator[Figure]:
    """A sheet of `width` px, square unless `height` says otherwise, in the style of reports.

    Args:
        name: tells the parts of this chart from those of the page's others.
        width, height: pixels.
    """
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        inches = (width / _POINTS_PER_INCH, (height or width * 0.94) / _POINTS_PER_INCH)
        yield Figure(figsize=inches, layout="constrained" if height is None else None)


def _axes(figure: Figure, *, x: str, y: str, top: float = 1.0, ticks: int = 4) -> Axes:
    """Axes of shares: x from 0 to 1, y from 0 to `top`."""
    axes = figure.add_subplot(xlabel=x, ylabel=y, xlim=(0, 1), ylim=(0, top))
    for axis, most in ((axes.xaxis, 1.0), (axes.yaxis, top)):
        axis.set_major_locator(MultipleLocator(most / ticks))
        axis.set_major_formatter(FuncFormatter(lambda share, _: _percent(share)))
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=0, pad=6)
    return axes


def _diagonal(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=(0, (3, 3)))


def _line(which: int) -> dict[str, object]:
    dashes = DASHES[which % len(DASHES)]
    return {"color": SETS[which % len(SETS)], "linestyle": (0, dashes) if dashes else "-"}


def _dot(axes: Axes, point: Point, colour: str, name: str, size: float = 6) -> None:
    axes.plot(
        *([value] for value in point),
        marker="o",
        linestyle="none",
        markersize=size,
        color=colour,
        markeredgecolor=GROUND,
        markeredgewidth=0.8,
        clip_on=False,
        gid=name,
    )


def _element(
    figure: Figure, title: str = "", description: str = "", points: Mapping[str, str] | None = None
) -> Markup:
    """The chart as an element of a page.

    Args:
        figure: what was drawn.
        title, description: for screen readers; without a title the chart is hidden from them.
        points: what parts of the chart say under the mouse, by their group's names.
    """
    with io.StringIO() as drawn:
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
        root = ET.fromstring(drawn.getvalue())  # noqa: S314  (drawn here, not read)
    text = " ".join(value for one in root.iter() for value in one.attrib.values())
    used = set(re.findall(r"#([\w-]+)", text))
    for one in root.iter():
        one.tag = _bare(one.tag)
        attributes = {_bare(name): value for name, value in one.attrib.items()}
        name = attributes.get("id", "")
        if name not in used:
            attributes.pop("id", None)
        if style := attributes.get("style"):
            attributes["style"] = _themed(style)
        one.attrib = attributes
        if points and name in points:
            _says(one, "title", points[name])
    for child in list(root):
        if child.tag == "metadata" or _is_style(child):
            root.remove(child)
    root.attrib = {
        "viewBox": root.get("viewBox", ""),
        **({"role": "img"} if title else {"aria-hidden": "true"}),
    }
    if title:
        _says(root, "desc", description)
        _says(root, "title", title)
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704  (escaped by ElementTree)


def _bare(name: str) -> str:
    """A name without its namespace, which HTML does not have."""
    return name.rpartition("}")[2]


def _is_style(child: ET.Element) -> bool:
    """Whether these definitions are matplotlib's style for every element, which would be the whole page's."""
    return child.tag == "defs" and any(_bare(one.tag) == "style" for one in child)


def _says(element: ET.Element, tag: str, text: str) -> None:
    said = ET.Element(tag)
    said.text = text
    element.insert(0, said)


def _themed(style: str) -> str:
    """A style with the page's colours and fonts."""
    for colour, variable in _VARIABLES.items():
        style = style.replace(colour, f"var({variable})")
    return re.sub(r" ?font-family: [^;]*;", "", style)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
