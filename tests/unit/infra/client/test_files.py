"""What is found where a person points: every file is sent, or left out with its reason."""

import hashlib
import os
import socket
from pathlib import Path
from typing import Literal

import pytest

from infra.client import files
from infra.client.files import Description, Unusable, content, describe, gather, name_of, shown

PNG = b"\x89PNG\r\n\x1a\n and so on"


def put(folder: Path, name: str, content: bytes = b"") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_every_file_is_taken_or_named_with_its_reason(tmp_path: Path) -> None:
    taken = ["a.jpg", "b.TIFF", "c.jfif", "no-suffix", "odd.xyz", "sub/c.webp", "sub/d.jpe", "z.bmp"]
    for name in taken:
        put(tmp_path, name, PNG if name in ("no-suffix", "odd.xyz") else b"")
    put(tmp_path, "link-target/e.png")
    (tmp_path / "f.png").symlink_to(tmp_path / "link-target" / "e.png")
    for name in ("notes.txt", ".hidden.jpg", ".git/e.png", "Thumbs.db", "sub/.thumb/f.png", "cells.xml"):
        put(tmp_path, name, b"BMI table")
    put(tmp_path, "README")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "linked").symlink_to(tmp_path / "link-target")
    (tmp_path / "broken.png").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as ours:
        ours.bind(str(tmp_path / "s.png"))
    found = gather(tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in found.files] == sorted(
        [*taken, "f.png", "link-target/e.png"], key=Path
    )
    said = {str(left.path.relative_to(tmp_path)): (left.reason, left.is_loss) for left in found.left_out}
    assert said == {
        ".git": ("a hidden folder", False),
        ".hidden.jpg": ("a hidden or system file", False),
        "README": ("empty, and not named like a picture", False),
        "Thumbs.db": ("a hidden or system file", False),
        "broken.png": ("a link that leads nowhere", True),
        "cells.xml": ("not a picture, by its content", False),
        "linked": ("a link to a folder; upload that folder itself", True),
        "notes.txt": ("not a picture, by its content", False),
        "pipe.jpg": ("a pipe, socket or device, not a file", False),
        "s.png": ("a pipe, socket or device, not a file", False),
        "sub/.thumb": ("a hidden folder", False),
    }


def test_a_folder_and_a_file_that_cannot_be_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root reads everything, so the system's errors are played."""
    put(tmp_path, "good.jpg")
    put(tmp_path, "locked/a.jpg")
    put(tmp_path, "unreadable")
    scandir, real_open = os.scandir, Path.open

    def fail_folder(path: str) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    def fail_file(path: Path, how: Literal["rb"]) -> object:
        if path.name == "unreadable":
            raise PermissionError(13, "Permission denied", str(path))
        return real_open(path, how)

    monkeypatch.setattr(os, "scandir", fail_folder)
    monkeypatch.setattr(Path, "open", fail_file)
    found = gather(tmp_path)
    assert [path.name for path in found.files] == ["good.jpg"]
    assert {left.path.name: left.reason for left in found.left_out} == {
        "locked": "the folder cannot be read: Permission denied",
        "unreadable": "cannot be read: Permission denied",
    }
    assert all(left.is_loss for left in found.left_out)


def test_one_file_and_a_folder_that_has_vanished(tmp_path: Path) -> None:
    picture, letter = put(tmp_path, "a", PNG), put(tmp_path, "letter.doc", b"Dear")
    assert gather(picture).files == [picture]
    assert [left.reason for left in gather(letter).left_out] == ["not a picture, by its content"]
    (gone,) = gather(tmp_path / "gone").left_out
    assert gone.reason == "cannot be read: No such file or directory"
    assert gone.is_loss


@pytest.mark.parametrize(
    "head",
    [b"BM" + bytes(14), b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"\xff\xd8\xff\xf7", b"RIFF\1\2\3\4WEBP"],
)
def test_pictures_are_known_by_their_first_bytes(tmp_path: Path, head: bytes) -> None:
    assert gather(put(tmp_path, "DSC0001", head)).files


@pytest.mark.parametrize("head", [b"BMI of all patients", b"RIFF\1\2\3\4WAVE", b"GIF89a", b"%PDF-1.7", b"II"])
def test_what_is_no_picture_is_known_by_its_first_bytes(tmp_path: Path, head: bytes) -> None:
    assert not gather(put(tmp_path, "DSC0001", head)).files


def test_bytes_are_those_that_were_described(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jpg", b"first")
    described = describe(path)
    assert described == Description(5, hashlib.sha256(b"first").hexdigest())
    assert content(path, described) == b"first"
    path.write_bytes(b"other")
    with pytest.raises(Unusable, match="changed"):
        content(path, described)


def test_a_file_that_grows_while_it_is_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, "a.jpg", b"12345678")
    monkeypatch.setattr(files, "_BLOCK", 4)
    blocks = files._blocks(path)
    next(blocks)
    with path.open("ab") as more:
        more.write(b"and more")
    with pytest.raises(Unusable, match="still being written"):
        list(blocks)


def test_a_file_beyond_any_picture_is_not_read(tmp_path: Path) -> None:
    path = put(tmp_path, "a.tif")
    os.truncate(path, files.LARGEST + 1)
    with pytest.raises(Unusable, match="4 GB"):
        describe(path)


def test_names_can_be_printed_anywhere(tmp_path: Path) -> None:
    latin = Path(os.fsdecode(b"Zelle_\xe4\x1b[2J.jpg"))
    assert shown(latin) == "Zelle_\\xe4\\x1b[2J.jpg"
    assert shown(Path("細胞 1.jpg")) == "細胞 1.jpg"
    assert name_of(latin) == "Zelle_\ufffd\x1b[2J.jpg"  # the server takes out what cannot be seen
