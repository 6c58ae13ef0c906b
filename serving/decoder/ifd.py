"""The directories of a TIFF or of EXIF, read without trusting them (TIFF 6.0, BigTIFF, EXIF 2.3).

Nothing is read but what is asked for, and no more of it than the asker bears: the libraries that decode would
read every value of every directory into memory first.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from serving.contract.sentence import N_, Sentence
from serving.decoder.limits import DIRECTORIES, ENTRIES, PIECES
from serving.decoder.refused import FileRefused, Reason, too_costly

ORIENTATION = 274
_SUB_DIRECTORIES = 330
# Field types that are whole numbers, with their struct codes; and the bytes of all types.
_NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_SIZES = {2: 1, 5: 8, 7: 1, 10: 8, 11: 4, 12: 8} | {
    kind: struct.calcsize("<" + code) for kind, code in _NUMBERS.items()
}


@dataclass(frozen=True)
class Directory:
    """One picture's tags: for each its type, its count, and where its values stand in `data`."""

    data: bytes
    order: str
    tags: dict[int, tuple[int, int, int]]

    def __contains__(self, tag: int) -> bool:
        return tag in self.tags

    def numbers(self, tag: int, most: int = PIECES) -> tuple[int, ...]:
        """The whole numbers of a tag; empty where it is absent or of another type.

        Raises:
            FileRefused: there are more than `most`.
        """
        kind, count, where = self.tags.get(tag, (0, 0, 0))
        if kind not in _NUMBERS:
            return ()
        if count > most:
            raise too_costly(
                Sentence(N_("The TIFF has %(count)s values under tag %(tag)s"), {"count": count, "tag": tag})
            )
        return struct.unpack_from(f"{self.order}{count}{_NUMBERS[kind]}", self.data, where)

    def number(self, tag: int, default: int = 0) -> int:
        return next(iter(self.numbers(tag)), default)

    def bytes_of(self, tag: int, most: int) -> bytes:
        """The first `most` bytes of a tag's values, as they stand in the file."""
        kind, count, where = self.tags.get(tag, (0, 0, 0))
        return self.data[where : where + min(most, count * _SIZES.get(kind, 0))]


def directories(data: bytes) -> tuple[list[Directory], list[Directory]]:
    """The directories of the file's chain, and those that hang below its first; the first of very many.

    Raises:
        FileRefused: they are damaged, or lead in a circle.
    """
    try:
        layout, first = _header(data)
        chain = list(_chain(data, layout, first))
        below = chain[0].numbers(_SUB_DIRECTORIES, DIRECTORIES)
        return chain, [_directory(data, layout, where)[0] for where in below]
    except (struct.error, IndexError) as error:
        raise FileRefused(Reason.DAMAGED) from error


def orientation(exif: bytes) -> int:
    """How the picture is to be turned, 1 to 8; 1 where it is not said, or said wrongly."""
    try:
        layout, first = _header(exif)
        found = _directory(exif, layout, first)[0].number(ORIENTATION, 1)
    except (struct.error, IndexError, FileRefused):
        return 1
    return found if 1 <= found <= 8 else 1


@dataclass(frozen=True)
class _Layout:
    order: str
    offset: str
    count: str
    entries: str


def _header(data: bytes) -> tuple[_Layout, int]:
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        raise FileRefused(Reason.DAMAGED)
    (version,) = struct.unpack_from(order + "H", data, 2)
    layout = _Layout(order, "Q", "Q", "Q") if version == 43 else _Layout(order, "I", "I", "H")
    (first,) = struct.unpack_from(order + layout.offset, data, 8 if version == 43 else 4)
    return layout, first


def _chain(data: bytes, layout: _Layout, where: int) -> Iterator[Directory]:
    seen: set[int] = set()
    while where and len(seen) < DIRECTORIES:
        if where in seen:
            raise FileRefused(
                Reason.DAMAGED, Sentence(N_("The TIFF is damaged: its pages lead in a circle."))
            )
        seen.add(where)
        directory, where = _directory(data, layout, where)
        yield directory


def _directory(data: bytes, layout: _Layout, where: int) -> tuple[Directory, int]:
    """The directory at `where`, and where the next one is; 0 after the last."""
    (entries,) = struct.unpack_from(layout.order + layout.entries, data, where)
    if entries > ENTRIES:
        raise too_costly(Sentence(N_("The TIFF has %(count)s tags"), {"count": entries}))
    where += struct.calcsize("<" + layout.entries)
    form = f"{layout.order}HH{layout.count}"
    head, room = struct.calcsize("=HH" + layout.count), struct.calcsize("=" + layout.offset)
    tags: dict[int, tuple[int, int, int]] = {}
    for _ in range(entries):
        tag, kind, count = struct.unpack_from(form, data, where)
        value = where + head
        size = count * _SIZES.get(kind, 0)
        if size > room:
            (value,) = struct.unpack_from(layout.order + layout.offset, data, value)
        if value + size <= len(data):
            tags.setdefault(tag, (kind, count, value))
        elif tag < ORIENTATION or tag in (277, 278, 279, 284, 324, 325):
            raise FileRefused(Reason.DAMAGED)
        where += head + room
    (following,) = struct.unpack_from(layout.order + layout.offset, data, where)
    return Directory(data, layout.order, tags), following
