"""The threat model and the list of requirements name tests and commands that are there."""

import re

import pytest

from tests.support.documents import ROOT, missing_tests

REQUIREMENTS = ROOT / "docs" / "requirements.md"


@pytest.mark.parametrize("document", ["THREAT_MODEL.md", "docs/requirements.md"])
def test_every_proof_is_a_test(document: str) -> None:
    assert not missing_tests((ROOT / document).read_text())


def test_a_proof_that_is_not_there_is_found() -> None:
    text = "`unit/docs/test_proofs.py::test_every_proof_is_a_test`, `::test_nothing`, `unit/test_links.py`"
    assert missing_tests(text) == [
        "unit/docs/test_proofs.py::test_nothing: nowhere",
        "unit/test_links.py::: unit/docs/test_links.py",
    ]


def test_each_requirement_has_a_proof_or_says_what_is_missing() -> None:
    rows = re.findall(
        r"^\| ([A-Z].*?) \| (.+?) \| (.*?) ?\| (.*?) ?\|$", REQUIREMENTS.read_text(), re.MULTILINE
    )
    assert len({number for number, *_ in rows}) == len(rows) == 25
    for number, _, shown, missing in rows:
        assert missing or (missing_tests(shown) == [] and ".py::" in shown), number
