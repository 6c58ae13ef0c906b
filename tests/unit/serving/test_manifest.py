"""Who is believed about what a version consists of."""

import json
from pathlib import Path

import pytest

from serving.contract import MODEL_FILE, MODEL_JSON, MODEL_NAME, ModelFolderError
from serving.manifest import MANIFEST, Publisher, Verifier, check, digests
from tests.support.published import PUBLISHER, STRANGER, publish, sign

BELIEVES = Verifier(PUBLISHER.public)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return publish(tmp_path / MODEL_NAME, 3)


def test_what_was_published_is_believed(folder: Path) -> None:
    files = BELIEVES.files(folder, MODEL_NAME, 3)
    assert files == digests(folder)
    assert {MODEL_FILE, MODEL_JSON} < files.keys()
    assert MANIFEST not in files
    check(folder, files)


def test_the_same_version_has_the_same_manifest(folder: Path) -> None:
    before = (folder / MANIFEST).read_text()
    sign(folder)
    assert (folder / MANIFEST).read_text() == before


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda folder: (folder / MANIFEST).unlink(), "was not published"),
        (lambda folder: sign(folder, by=STRANGER), "not signed by the publisher"),
        (lambda folder: sign(folder, version=2), "is of hematovision 2, not of hematovision 3"),
        (lambda folder: sign(folder, name="lab-x"), "is of lab-x 3, not"),
        (lambda folder: (folder / MANIFEST).write_text("{}"), "not signed"),
        (lambda folder: (folder / MANIFEST).write_text("[1]"), "not signed"),
        (lambda folder: (folder / MANIFEST).write_bytes(b"\xff"), "not signed"),
        (lambda folder: (folder / MANIFEST).write_text('{"signature": 3}'), "not signed"),
    ],
)
def test_nobody_else_is(folder: Path, spoil, says: str) -> None:
    spoil(folder)
    with pytest.raises(ModelFolderError, match=says):
        BELIEVES.files(folder, MODEL_NAME, 3)


@pytest.mark.parametrize("key", ["name", "version", "files"])
def test_nothing_that_was_signed_can_be_changed(folder: Path, key: str) -> None:
    said = json.loads((folder / MANIFEST).read_text())
    said[key] = {**said["files"], MODEL_FILE: "0" * 64} if key == "files" else "4"
    (folder / MANIFEST).write_text(json.dumps(said))
    with pytest.raises(ModelFolderError, match="not signed"):
        BELIEVES.files(folder, MODEL_NAME, 3)


@pytest.mark.parametrize("name", [MODEL_FILE, MODEL_JSON, "variables/more", "more.pb"])
def test_a_file_that_is_changed_or_put_in_is_named(folder: Path, name: str) -> None:
    (folder / "variables").mkdir()
    (folder / name).write_text("another")
    with pytest.raises(ModelFolderError, match=f"not as it was published: {name}"):
        check(folder, BELIEVES.files(folder, MODEL_NAME, 3))


def test_a_file_that_was_taken_away_is_named(folder: Path) -> None:
    files = BELIEVES.files(folder, MODEL_NAME, 3)
    (folder / MODEL_FILE).unlink()
    with pytest.raises(ModelFolderError, match=MODEL_FILE):
        check(folder, files)


@pytest.mark.parametrize("key", ["", "00", "x" * 64])
def test_what_is_no_key_is_none(key: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of the libraries, in their words
        Publisher(key)
    with pytest.raises(ValueError):  # noqa: PT011
        Verifier(key)
