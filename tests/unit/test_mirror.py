"""Tests lie where the code lies that they try."""

from collections.abc import Iterator
from pathlib import PurePath

import pytest

from tests.support.documents import ROOT, TESTS, committed

# Whose subject is the running product as a whole.
WHOLE = "stack"


def folders(lane: str) -> Iterator[PurePath]:
    """Folders of tests below `tests/` and `lane`."""
    for file in committed(f"tests/{lane}"):
        folder = file.parent.relative_to(TESTS / lane)
        if folder.parts:
            yield folder


@pytest.mark.parametrize("lane", ["unit", "integration"])
def test_each_folder_is_called_as_what_it_tries(lane: str) -> None:
    found = set(folders(lane)) - {PurePath(WHOLE)}
    assert PurePath("webapp") in {folder for one in found for folder in one.parents}
    code = {folder for folder in found if (ROOT / folder).is_dir() or (ROOT / f"{folder}.py").is_file()}
    assert found == code


def test_those_of_training_too() -> None:
    found = set(folders("training"))
    assert found == {folder for folder in found if (ROOT / "training" / folder).is_dir()}
