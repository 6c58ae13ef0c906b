"""The files a person gives: which are sent, which are left out and why, and what their bytes are."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from infra.language import _
from serving.contract import HEAD, SUFFIXES, opens_like_a_picture

LARGEST = (
    4 * 1024**3
)  # bytes; far beyond any picture of a cell, and beyond what one wants to read for nothing
SYSTEM_FILES = frozenset({"desktop.ini", "thumbs.db"})

_BLOCK = 1024 * 1024


class Unusable(Exception):
    """A file cannot be read, or not twice the same; the message says why."""


@dataclass(frozen=True)
class LeftOut:
    """A file or folder that is not sent. `is_loss` says that a picture may be missing for it."""

    path: Path
    reason: str
    is_loss: bool


@dataclass
class Given:
    """All that was found where a person pointed: every file is in one of the two."""

    files: list[Path] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


@dataclass(frozen=True)
class Description:
    """What a file is: `size` in bytes, `sha256` in hexadecimal digits."""

    size: int
    sha256: str


def gather(place: Path) -> Given:
    """The pictures in a folder and its sub-folders, or the one file, in the order of their paths.

    A name that pictures have is believed, for the server says what is wrong with them; for any other name the
    first bytes decide. Links to files are followed, links to folders are not: they may lead in circles.
    """
    given = Given()

    def leave_out(path: Path, reason: str, *, is_loss: bool) -> None:
        given.left_out.append(LeftOut(path, reason, is_loss))

    def unreadable(error: OSError) -> None:
        leave_out(
            Path(error.filename),
            _("the folder cannot be read: %(error)s") % {"error": error.strerror},
            is_loss=True,
        )

    def consider(path: Path) -> None:
        try:
            judged = _judge(path)
        except OSError as error:
            lost = (
                _("a link that leads nowhere")
                if path.is_symlink()
                else _("cannot be read: %(error)s") % {"error": error.strerror}
            )
            judged = LeftOut(path, lost, is_loss=True)
        if judged is None:
            given.files.append(path)
        else:
            given.left_out.append(judged)

    if not place.is_dir():
        consider(place)
        return given
    for root, folders, names in os.walk(place, onerror=unreadable):
        inner = []
        for path in (Path(root, name) for name in folders):
            if path.name.startswith("."):
                leave_out(path, _("a hidden folder"), is_loss=False)
            elif path.is_symlink():
                leave_out(path, _("a link to a folder; upload that folder itself"), is_loss=True)
            else:
                inner.append(path.name)
        folders[:] = inner
        for name in names:
            consider(Path(root, name))
    given.files.sort()
    given.left_out.sort(key=lambda left: left.path)
    return given


def describe(path: Path) -> Description:
    """Read a file through.

    Raises:
        Unusable: it cannot be read, grows meanwhile, or is far too large.
    """
    digest, size = hashlib.sha256(), 0
    for block in _blocks(path):
        size += len(block)
        digest.update(block)
    return Description(size, digest.hexdigest())


def content(path: Path, described: Description) -> bytes:
    """A file's bytes, which are those that were described.

    Raises:
        Unusable: it cannot be read any more, or has changed.
    """
    read = b"".join(_blocks(path))
    if hashlib.sha256(read).hexdigest() != described.sha256:
        raise Unusable(_("The file was changed while it was being uploaded. Upload it again."))
    return read


def shown(path: Path) -> str:
    """A path as any terminal can print it."""
    return printable(str(path))


def printable(text: str) -> str:
    """As any terminal can print it: bytes that are no text, and control characters, as `\\x1b`."""
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def name_of(path: Path) -> str:
    """The file's name in valid Unicode, whatever the file system holds and the locale says."""
    return as_text(path.name)


def as_text(given: str) -> str:
    """What the file system or the command line gave, in valid Unicode: UTF-8, whatever the locale says."""
    return os.fsencode(given).decode(errors="replace")


def _judge(path: Path) -> LeftOut | None:
    """Why a file is left out; None for one to send."""
    info = path.stat()
    if path.name.startswith(".") or path.name.lower() in SYSTEM_FILES:
        return LeftOut(path, _("a hidden or system file"), is_loss=False)
    if not S_ISREG(info.st_mode):
        is_folder = S_ISDIR(info.st_mode)
        why = _("a folder, not a file") if is_folder else _("a pipe, socket or device, not a file")
        return LeftOut(path, why, is_loss=False)
    if path.suffix.lower() in SUFFIXES:
        return None
    with path.open("rb") as file:
        head = file.read(HEAD)
    if opens_like_a_picture(head):
        return None
    why = _("not a picture, by its content") if head else _("empty, and not named like a picture")
    return LeftOut(path, why, is_loss=False)


def _blocks(path: Path) -> Iterator[bytes]:
    """A file's bytes; never more than it had when it was opened, for a writer may be faster than we are."""
    try:
        with path.open("rb") as file:
            left = os.fstat(file.fileno()).st_size
            if left > LARGEST:
                raise Unusable(
                    _("The file has %(size)s GB, far more than a picture of a cell.")
                    % {"size": f"{left / 1024**3:.0f}"}
                )
            while block := file.read(_BLOCK):
                left -= len(block)
                if left < 0:
                    raise Unusable(_("The file is still being written. Upload it again when it is complete."))
                yield block
    except OSError as error:
        raise Unusable(_("The file cannot be read: %(error)s.") % {"error": error.strerror}) from error


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no text, as Python keeps it
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
