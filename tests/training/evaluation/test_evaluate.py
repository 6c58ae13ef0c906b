"""training.evaluation.evaluate on the command line: what a user can get wrong."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from serving.contract import ModelFolderError
from tests.support.answers import version as answering
from training.__main__ import app
from training.errors import TrainingError


@pytest.fixture
def version(tmp_path: Path) -> Path:
    """A version folder without its graphs."""
    folder = tmp_path / "hematovision" / "7"
    folder.mkdir(parents=True)
    answering(labels=("basophil", "monocyte")).save(folder)
    return folder


@pytest.fixture
def two_classes(cells: Path, tmp_path: Path) -> Path:
    """The drawn cells of two classes."""
    for name in ("basophil", "monocyte"):
        shutil.copytree(cells / name, tmp_path / "two" / name)
    return tmp_path / "two"


def run(*arguments: object) -> None:
    CliRunner().invoke(app, ["evaluate", *map(str, arguments)], catch_exceptions=False)


def test_no_such_version(two_classes: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match=r"has no model\.json"):
        run(tmp_path / "hematovision" / "8", "--data", two_classes, "--runs", tmp_path)


def test_a_version_without_its_graph(version: Path, two_classes: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"has no model\.tflite"):
        run(version, "--data", two_classes, "--runs", tmp_path)


def test_a_folder_without_such_a_split(version: Path, two_classes: Path, tmp_path: Path) -> None:
    (two_classes / "labels.csv").write_text(
        "file,label,split\nbasophil/00.png,basophil,train\nmonocyte/00.png,monocyte,val\n"
    )
    with pytest.raises(TrainingError, match="no image in its 'test' split"):
        run(version, "--data", two_classes, "--split", "test", "--runs", tmp_path)


def test_a_class_that_the_version_does_not_know(version: Path, cells: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="drawn has the class eosinophil, which this version"):
        run(version, "--data", cells, "--runs", tmp_path)


def test_no_such_folder(version: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="There is no data folder"):
        run(version, "--data", tmp_path / "absent", "--runs", tmp_path)


def test_an_unreadable_image(version: Path, two_classes: Path, tmp_path: Path) -> None:
    (two_classes / "basophil" / "00.png").write_bytes(b"no picture")
    with pytest.raises(TrainingError, match=r"00\.png"):
        run(version, "--data", two_classes, "--runs", tmp_path)
