"""What a backup's manifest may say; none of it is believed before it is checked."""

import json
import os
from hashlib import sha256

import pytest

from webapp.backup.snapshots import Contents, Damaged, Manifest, StoredObject, open_plain

SHA = "0" * 64
FILES = {"database.dump": SHA, "objects.jsonl": SHA}
GOOD: dict[str, object] = {
    "made_at": "2026-01-31T12:00:00+00:00",
    "schema": ["cases.0001_initial"],
    "data_keys": ["2026-01-31-aaaaaa"],
    "files": FILES,
    "models": {"hematovision/4/model.json": SHA},
    "rows": {"cases": 1, "images": 2},
    "name": "20260131T120000Z",
    "format": 2,
}
STRANGE_NAMES = ("../x", "/x", "a/../../x", "..", ".", "", "a//b", "./a", "a/", "a/./b", "a\0b", "a/..")


def test_what_was_written_is_read():
    assert Manifest.parse(json.dumps(GOOD).encode()).rows == {"cases": 1, "images": 2}


@pytest.mark.parametrize(
    "change",
    [
        *({"models": {name: SHA}} for name in STRANGE_NAMES),
        *({"models": {"a": sha}} for sha in ("../../etc/passwd", "0" * 63, "A" * 64, SHA + "\n", 5, None)),
        {"files": {"../database.dump": SHA, "objects.jsonl": SHA}},
        {"files": {"database.dump": SHA}},
        {"files": {**FILES, "more": SHA}},
        {"files": ["database.dump", "objects.jsonl"]},
        {"models": [["a", SHA]]},
        {"rows": None},
        {"rows": {}},
        {"schema": "cases"},
        {"schema": [1]},
        {"data_keys": {}},
        {"made_at": 1},
        {"format": 3},
        {"format": "2"},
        {"another": 1},
    ],
)
def test_what_nobody_wrote_is_rejected(change):
    with pytest.raises(ValueError, match=r"."):
        Manifest.parse(json.dumps({**GOOD, **change}).encode())


@pytest.mark.parametrize("text", [b"", b"[]", b"null", b'"a"', b"{", b"\xff", b"{}"])
def test_a_manifest_is_json(text):
    with pytest.raises(ValueError, match=r"."):
        Manifest.parse(text)


@pytest.mark.parametrize(
    "change",
    [{"sha256": "../../x"}, {"sha256": None}, {"key": ""}, {"key": 1}, {"version": None}, {"more": 1}],
)
def test_an_object_is_named_as_it_was_written(change):
    good = {"key": "a/b", "version": "1", "sha256": SHA, "size": 1}
    assert StoredObject.parse(json.dumps(good).encode()).key == "a/b"
    with pytest.raises(ValueError, match=r"."):
        StoredObject.parse(json.dumps({**good, **change}).encode())


def test_only_plain_files_are_read(tmp_path):
    (tmp_path / "plain").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "plain")
    os.mkfifo(tmp_path / "pipe")
    with open_plain(tmp_path / "plain") as file:
        assert file.read() == b"x"
    for other in ("link", "pipe", "none", "."):
        with pytest.raises(Damaged):
            open_plain(tmp_path / other)


def test_what_waits_under_a_drafts_name_is_not_written_through(tmp_path):
    contents = Contents(tmp_path)
    (tmp_path / "contents").mkdir()
    first = contents.put(b"one")
    (tmp_path / "victim").write_bytes(b"mine")
    second = sha256(b"two").hexdigest()
    (tmp_path / "contents" / second[:2]).mkdir(exist_ok=True)
    contents.path(second).with_suffix(".new").symlink_to(tmp_path / "victim")
    assert contents.get(contents.put(b"two")) == b"two"
    assert contents.get(first) == b"one"
    assert (tmp_path / "victim").read_bytes() == b"mine"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    third = contents.path("5" * 64).parent
    third.symlink_to(elsewhere)
    with pytest.raises(Damaged, match="link"):
        _put_below(contents, third.name)
    assert list(elsewhere.iterdir()) == []


def _put_below(contents: Contents, first_two: str) -> None:
    candidates = (str(n).encode() for n in range(10_000))
    contents.put(next(data for data in candidates if sha256(data).hexdigest()[:2] == first_two))
