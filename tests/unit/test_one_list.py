"""Cell classes and the suffixes of pictures are listed once; every further list is held to that one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from infra.demo import cells, run
from serving.contract import CELL_LABELS, OTHER_SUFFIXES, SUFFIXES
from webapp.hematology.classes import BY_CODE, CELL_CLASSES, UNIDENTIFIED

ROOT = Path(__file__).parents[2]
LABELS, CODES = frozenset(CELL_LABELS), frozenset(BY_CODE)
SOURCES = sorted(
    path
    for part in ("infra", "serving", "training", "webapp", "workers")
    for path in (ROOT / part).rglob("*.py")
    if path.name != "signature.py" and "migrations" not in path.parts
)
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


def test_every_class_is_drawn() -> None:
    assert cells._KINDS.keys() == LABELS


def test_a_further_list_of_classes_names_them_all() -> None:
    for path in SOURCES:
        for line, texts in listed(path):
            if len(texts & CODES) >= FEW:
                assert texts - {UNIDENTIFIED} in (LABELS, CODES), f"{path}:{line}"


def test_reports_of_training_shorten_names_as_the_product_does() -> None:
    # That module imports what this environment has not.
    source = ast.parse((ROOT / "training/report/evaluation.py").read_text())
    (named,) = (
        node.value
        for node in source.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ABBREVIATIONS"
    )
    assert ast.literal_eval(named) == {label: BY_CODE[label].short for label in CELL_LABELS}


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


def test_the_guide_names_every_class_by_which_folders_are_compared() -> None:
    page = (ROOT / "docs/install-one-machine.md").read_text()
    assert CODES.intersection(re.findall(r"`(\w+)`", page)) == LABELS
