"""Cell classes and the suffixes of pictures are listed once."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from infra.demo import cells, run
from serving.contract import CELL_CLASSES, CELL_LABELS, OTHER_SUFFIXES, SUFFIXES
from webapp.hematology.classes import BY_CODE, UNIDENTIFIED

ROOT = Path(__file__).parents[2]
LABELS, CODES = frozenset(CELL_LABELS), frozenset(BY_CODE)
SOURCES = sorted(
    path
    for part in ("infra", "serving", "training", "webapp", "workers")
    for path in (ROOT / part).rglob("*.py")
    if path != ROOT / "serving" / "contract" / "classes.py" and "migrations" not in path.parts
)
DRAWN = ROOT / "infra/demo/cells.py"  # the demo's, of what somebody has drawn
SCREEN = ROOT / "webapp/hematology/classes.py"  # their keys and orders, which its own test holds to the list
FEW = 3  # so many together are a list of them


def listed(path: Path) -> Iterator[tuple[int, frozenset[str]]]:
    """The texts of each collection that is written out in a module, with its line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Dict | ast.List | ast.Set | ast.Tuple):
            continue
        elements = node.keys if isinstance(node, ast.Dict) else node.elts
        texts = frozenset(
            element.value
            for element in elements
            if isinstance(element, ast.Constant) and isinstance(element.value, str)
        )
        if texts:
            yield node.lineno, texts


def test_what_a_model_may_name_may_be_reported() -> None:
    assert len(LABELS) == len(CELL_LABELS)
    assert len(CODES) == len(CELL_CLASSES)
    assert LABELS <= CODES
    assert UNIDENTIFIED not in CODES
    assert run.UNIDENTIFIED == UNIDENTIFIED  # the command line imports nothing of the web


def test_what_is_drawn_is_a_class_that_a_model_may_name() -> None:
    assert set(cells.DRAWN) <= LABELS
    assert len(cells.DRAWN) >= 8


def test_no_module_but_the_contract_lists_classes() -> None:
    for path in SOURCES:
        for line, texts in listed(path):
            if len(texts & CODES) >= FEW:
                assert path in (DRAWN, SCREEN), f"{path}:{line}"


def test_no_module_but_the_contract_lists_suffixes() -> None:
    for path in SOURCES:
        if path == ROOT / "serving" / "contract" / "files.py":
            continue
        for line, texts in listed(path):
            assert len(texts & SUFFIXES) < FEW, f"{path}:{line}"
            assert len(texts & OTHER_SUFFIXES) < FEW, f"{path}:{line}"


def test_a_suffix_is_a_pictures_or_not() -> None:
    assert not SUFFIXES & OTHER_SUFFIXES
    assert all(re.fullmatch(r"\.[a-z]+", suffix) for suffix in SUFFIXES | OTHER_SUFFIXES)


def test_the_glossary_has_every_class() -> None:
    terms = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE)
    words = {word.strip() for term in terms for word in term.split(",")}
    assert {code.replace("_", " ") for code in CODES} <= words
