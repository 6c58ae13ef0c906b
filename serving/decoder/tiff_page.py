"""One picture of a TIFF by its tags: what it is, what it costs, and where its strips or tiles lie."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from serving.contract.sentence import N_, Sentence
from serving.decoder.cost import check_memory
from serving.decoder.ifd import Directory
from serving.decoder.limits import PADDED, PIECE, PIECES, Limits
from serving.decoder.refused import FileRefused, Reason, too_costly, unusual

NONE, LZW, JPEG, DEFLATE, OLD_DEFLATE, PACKBITS = 1, 5, 7, 8, 32946, 32773
LZMA, OLD_ZSTD, ZSTD = 34925, 34926, 50000
WHITE_IS_ZERO, GREY, RGB, PALETTE, CMYK, YCBCR, CIELAB, ICCLAB = 0, 1, 2, 3, 5, 6, 8, 9
_REDUCED, _MASK = 1, 4  # bits of NewSubfileType
_SAMPLE_FORMATS = {1: "u", 2: "i", 3: "f", 4: "u"}
_LARGEST_VALUES = (281, 341)  # MaxSampleValue, SMaxSampleValue


@dataclass(frozen=True)
class Piece:
    """A strip or tile: its bytes in the file, and the part of the picture that it shows.

    `rows` and `columns` are what it holds, of which what lies beyond the picture is padding.
    """

    offset: int
    size: int
    plane: int
    top: int
    left: int
    rows: int
    columns: int


@dataclass(frozen=True)
class Page:
    """The tags of one picture, with their defaults (TIFF 6.0, section 8)."""

    tags: Directory

    @property
    def width(self) -> int:
        return self.tags.number(256)

    @property
    def height(self) -> int:
        return self.tags.number(257)

    @property
    def area(self) -> int:
        return self.width * self.height

    @property
    def reduced(self) -> bool:
        """A smaller copy of another picture, or a mask for one, as the file says."""
        return bool(self.tags.number(254) & (_REDUCED | _MASK)) or self.tags.number(255) == 2

    @property
    def samples(self) -> int:
        return self.tags.number(277, 1)

    @property
    def bits(self) -> int:
        """Of each sample; 0 where they differ."""
        given = set(self.tags.numbers(258, 16)) or {1}
        return given.pop() if len(given) == 1 else 0

    @property
    def sample_format(self) -> str:
        """`u`, `i` or `f` as numpy calls them; "" for others, and where they differ."""
        given = set(self.tags.numbers(339, 16)) or {1}
        return _SAMPLE_FORMATS.get(given.pop(), "") if len(given) == 1 else ""

    @property
    def compression(self) -> int:
        return self.tags.number(259, NONE)

    @property
    def photometric(self) -> int:
        return self.tags.number(262, GREY)

    @property
    def planar(self) -> bool:
        return self.tags.number(284, 1) == 2 and self.samples > 1

    @property
    def predictor(self) -> int:
        return self.tags.number(317, 1)

    @property
    def white(self) -> int:
        """The largest value that the file claims to hold, 0 where it claims none."""
        most = 2**self.bits - 1
        claimed = [max(self.tags.numbers(tag, 16), default=0) for tag in _LARGEST_VALUES]
        return max((value for value in claimed if value < most), default=0)

    @property
    def sample_bytes(self) -> int:
        return 1 if self.bits <= 8 else 2 if self.bits <= 16 else 4 if self.bits <= 32 else 8

    @property
    def decoded(self) -> int:
        """Bytes of all its samples."""
        return self.area * self.samples * self.sample_bytes

    def check(self, limits: Limits) -> None:
        """
        Raises:
            FileRefused: it costs too much, lies, or points outside the file.
        """
        if not 1 <= self.samples <= 8:
            raise unusual(Sentence(N_("A TIFF with %(number)s channels"), {"number": self.samples}))
        if not 1 <= self.bits <= 64:
            raise unusual(Sentence(N_("A TIFF whose channels differ in depth")))
        check_memory("TIFF", self.decoded, limits)
        pieces = self.pieces()
        largest = max(piece.rows * piece.columns for piece in pieces)
        copied = len(pieces) > 1 or self.predictor == 3 or self.bits not in (8, 16, 32, 64)
        part = largest * self.sample_bytes * (1 if self.planar else self.samples)
        if largest > PIECE:
            check_memory("TIFF", self.decoded + (part if copied else 0), limits)
        # Padding is decoded, too: a picture of one row may be cut into tiles of a million.
        held = sum(piece.rows * piece.columns for piece in pieces) * self.sample_bytes
        if held * (1 if self.planar else self.samples) > PADDED * max(limits.memory, self.decoded):
            raise too_costly(Sentence(N_("The TIFF is stored in parts that are mostly padding")))
        taken = 0
        for piece in pieces:
            taken += piece.size
            if piece.offset + piece.size > len(self.tags.data) or not piece.size:
                raise FileRefused(Reason.DAMAGED)
        if taken > 2 * len(self.tags.data):
            raise too_costly(Sentence(N_("The TIFF uses the same bytes for many parts of its picture")))
        if largest > max(PIECE, self.area):
            raise too_costly(Sentence(N_("The TIFF is stored in parts that are larger than its picture")))

    def pieces(self) -> list[Piece]:
        """All strips or tiles, in the order of the file.

        Raises:
            FileRefused: there are too many, or fewer than the picture needs.
        """
        tiled = 322 in self.tags
        if tiled:
            columns, rows = self.tags.number(322), self.tags.number(323)
        else:
            columns, rows = self.width, min(self.tags.number(278, self.height), self.height)
        if columns < 1 or rows < 1:
            raise FileRefused(Reason.DAMAGED)
        down, across = ceil(self.height / rows), ceil(self.width / columns)
        planes = self.samples if self.planar else 1
        expected = down * across * planes
        if expected > PIECES:
            raise too_costly(Sentence(N_("The TIFF is cut into %(number)s parts"), {"number": expected}))
        offsets = self.tags.numbers(324 if 324 in self.tags else 273)
        sizes = self.tags.numbers(325 if 325 in self.tags else 279)
        if not sizes and expected == 1 and self.compression == NONE:  # old software left it out
            sizes = (ceil(columns * self.samples * self.bits / 8) * rows,)
        if min(len(offsets), len(sizes)) < expected:
            raise FileRefused(Reason.DAMAGED)
        places = self._places(planes, down, across, rows, columns, tiled)
        return [
            Piece(offset, size, *place)
            for offset, size, place in zip(
                offsets, sizes, places, strict=False
            )  # some write more than needed
        ]

    def _places(
        self, planes: int, down: int, across: int, rows: int, columns: int, tiled: bool
    ) -> Iterator[tuple[int, int, int, int, int]]:
        for plane in range(planes):
            for row in range(down):
                top = row * rows
                held = rows if tiled else min(rows, self.height - top)
                for column in range(across):
                    yield plane, top, column * columns, held, columns
