"""training.report.charts: elements of a page that say in words what they show."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import training.report
from training.evaluation.scores import ConfidenceBin
from training.report import charts

BINS = [
    ConfidenceBin(low=0.8, high=0.9, images=20, confidence=0.85, accuracy=0.7),
    ConfidenceBin(low=0.9, high=1.0, images=80, confidence=0.97, accuracy=0.99),
]
CURVE = [(0.25, 0.0), (0.5, 0.01), (1.0, 0.03)]
DRAWN = {
    "reliability": charts.reliability_diagram(BINS, "pbc & <north> $a$", 0),
    "risk and coverage": charts.risk_coverage_curve(CURVE, (0.9, 0.02), "pbc", 1),
    "without a rule": charts.risk_coverage_curve(CURVE, None, "chula", 5),
    "roc": charts.roc_curves([(0, [(0, 0), (0.1, 0.9), (1, 1)])], "ROC, basophil", "pbc: area 0.9"),
    "roc without curves": charts.roc_curves([], "ROC, platelet", "pbc: area –"),
    "swatch": charts.swatch(2),
}
STYLES = Path(training.report.__file__).parent / "templates" / "report.css"


def parsed(name: str) -> ET.Element:
    return ET.fromstring(DRAWN[name])  # noqa: S314  (drawn here)


def said(name: str, tag: str) -> list[str | None]:
    return [one.text for one in parsed(name).iter(tag)]


def test_a_chart_tells_screen_readers_what_it_shows() -> None:
    root = parsed("reliability")
    assert root.get("role") == "img"
    assert [(one.tag, one.text) for one in list(root)[:2]] == [
        ("title", "pbc & <north> $a$"),
        ("desc", "70 % of 20 right at a confidence of 85 %; 99 % of 80 right at a confidence of 97 %"),
    ]
    assert said("risk and coverage", "desc") == [
        "3 % are mistakes if all cells are kept. The rule of review keeps 90 %, with 2 % mistakes."
    ]
    assert said("without a rule", "desc") == ["3 % are mistakes if all cells are kept."]
    assert said("roc", "desc") == ["pbc: area 0.9"]


def test_points_say_their_values_under_the_mouse() -> None:
    assert said("reliability", "title")[1:] == [
        "70 % of 20 right at a confidence of 85 %",
        "99 % of 80 right at a confidence of 97 %",
    ]
    assert said("risk and coverage", "title")[1:] == ["kept 90 %, mistakes 2 %"]


def test_a_swatch_is_hidden_from_screen_readers() -> None:
    root = parsed("swatch")
    assert root.get("aria-hidden") == "true"
    assert not said("swatch", "title")


@pytest.mark.parametrize("name", DRAWN)
def test_axes_are_text_in_the_page_s_fonts_and_colours(name: str) -> None:
    drawn = DRAWN[name]
    assert not re.findall(r"font-family|xmlns|http|<style|<metadata|#[0-9a-f]{6}\b", drawn)
    if name != "swatch":
        assert "100 %" in said(name, "text")
    styled = STYLES.read_text(encoding="utf-8")
    for variable in re.findall(r"var\((--[\w-]+)\)", drawn):
        assert styled.count(f"{variable}:") == 2, variable  # in the light scheme and in the dark


def test_names_within_charts_are_told_apart() -> None:
    names = [one.get("id") for drawn in DRAWN for one in parsed(drawn).iter() if one.get("id")]
    assert len(names) == len(set(names)) > 0


def test_the_same_values_are_drawn_alike() -> None:
    assert charts.reliability_diagram(BINS, "pbc & <north> $a$", 0) == DRAWN["reliability"]
