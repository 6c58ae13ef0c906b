"""The templates of reports, and how they write numbers and names."""

from pathlib import Path

import jinja2

from training.evaluation.intervals import Estimate

TEMPLATES = Path(__file__).parent / "templates"


def environment(template: str) -> jinja2.Environment:
    """Where the named template is found, and how it writes numbers."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=template.endswith(".html"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters |= {
        "percent": percent,
        "decimal": decimal,
        "interval": interval,
        "cell_class": cell_class,
        "count": lambda number: f"{number:,}",
        "signed": lambda number: f"{number:+.2f}".replace("-", "−"),
    }
    return found


def percent(share: float | None, digits: int = 1) -> str:
    """A share for people; a dash where it is not defined."""
    return "–" if share is None else f"{100 * share:.{digits}f}\N{NO-BREAK SPACE}%"


def decimal(number: float | None, digits: int = 4) -> str:
    """A number for people; a dash where it is not defined."""
    return "–" if number is None else f"{number:.{digits}f}"


def interval(estimate: Estimate, digits: int = 1) -> str:
    """The bounds of an estimate of a share, without the sign; empty where it is not defined."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{100 * estimate.low:.{digits}f}–{100 * estimate.high:.{digits}f}"


def cell_class(label: str) -> str:
    """The name of a class in running text."""
    return label.replace("_", " ")
