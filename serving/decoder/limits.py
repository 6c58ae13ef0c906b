"""What a picture may cost: one table. All that can be known before decoding is checked before it.

| bound | what it is for |
| --- | --- |
| `pixels` | of the picture; the installation's setting, all bounds of memory follow it |
| LEAST_SIDE, LONGEST_SIDE | shorter, no cell can be seen; longer, it shows none, and rows are costly |
| LARGE | a picture of more is shrunk by a whole number while it is converted, and its display copy with it |
| `memory` | estimated bytes that decoding holds at its peak: pixels, coefficients, a codec's own buffers |
| SCANS, `scanned` | scans of a JPEG, and scans × pixels: each scan goes over all of the picture |
| SEGMENTS | markers of a JPEG, chunks of a PNG or WebP; of all JPEGs in a TIFF together |
| SEGMENTS_OF_A_PIECE | what each of those JPEGs may have in the mean, where they are many |
| DIRECTORIES, ENTRIES | of a TIFF or of EXIF: read to judge how many pictures there are |
| PIECES, PIECE | strips or tiles of a TIFF, and pixels of one that is larger than the picture |
| PADDED | what all of them hold, padding included: times `memory`, or times the picture |
| RUNS | bytes of a run-length coded BMP, which Pillow decodes in Python |
| CPU_SECONDS, WALL_SECONDS | for one picture, when all else failed: the decoder is killed |
| ALLOWANCE | bytes of private memory beyond `memory` that a decoder process may map |

With the default of 25 megapixels a decoder stays below 150 MB in all and 1 s, whatever is made to cost much:
`python -m tests.bench.bench_hostile` measures it. Right pictures of 25 megapixels, progressive or with alpha,
need up to 165 MB.
"""

from dataclasses import dataclass

LEAST_SIDE = 32
LONGEST_SIDE = 20_000
LARGE = 4_000_000
SCANS = 64
SEGMENTS = 20_000
SEGMENTS_OF_A_PIECE = 16
DIRECTORIES = 64
ENTRIES = 1024
PIECES = 16_384
PIECE = 1024 * 1024
PADDED = 2
RUNS = 1_000_000
CPU_SECONDS = 4
WALL_SECONDS = 15.0
ALLOWANCE = 192 * 1024 * 1024
START_SECONDS = 20.0  # for a decoder process to come up; a machine may be very busy
END_SECONDS = 1.0  # for one that is ending to end
MAX_ATTEMPTS = (
    2  # of a picture over which a decoder broke down: what was missing may have been another's memory
)


@dataclass(frozen=True)
class Limits:
    """The bounds that follow from how many `pixels` a picture may have."""

    pixels: int

    @property
    def memory(self) -> int:
        return max(64_000_000, int(4.2 * self.pixels))

    @property
    def scanned(self) -> int:
        return 10 * self.pixels
