"""PNG: the chunks that make the picture are decoded, all others are passed over, however large."""

import struct
from collections.abc import Iterator

import imagecodecs

from serving.contract.sentence import N_, Sentence
from serving.decoder import ifd
from serving.decoder.cost import check_memory, check_size
from serving.decoder.kinds import PNG
from serving.decoder.limits import LARGE, SEGMENTS, Limits
from serving.decoder.opened import opened
from serving.decoder.refused import FileRefused, Reason, too_costly
from serving.decoder.samples import to_eight_bits
from serving.decoder.source import Array, Opened, Source

_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_SIGNATURE = 8
_COLOURS = {2: "RGB", 6: "RGBA"}  # colour types; 0 and 4 are grey, 3 has a palette


def decode(data: bytes, limits: Limits) -> Source:
    chunks = list(_chunks(data))
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) < 25:
        raise FileRefused(Reason.DAMAGED)
    width, height, depth, colour = struct.unpack_from(">IIBB", chunks[0][1], 8)
    check_size(width, height, limits)
    first = {name: bytes(chunk[8:-4]) for name, chunk in reversed(chunks) if name in (b"eXIf", b"acTL")}
    if len(first.get(b"acTL", b"")) >= 4 and int.from_bytes(first[b"acTL"][:4], "big") > 1:
        raise FileRefused(Reason.SEVERAL_PICTURES)
    if chunks[-1][0] != b"IEND":
        raise FileRefused(Reason.DAMAGED)
    if colour in (0, 4):
        raise FileRefused(Reason.NO_COLOUR)
    # By libpng where Pillow would drop eight bits, or keep four bytes of each of very many pixels.
    by_libpng = colour in _COLOURS and (depth == 16 or width * height > LARGE)
    needed = (
        _KEPT - {b"tRNS"} if by_libpng else _KEPT
    )  # there it names one colour, which no cell's picture needs
    # The header that was judged, and no other: Pillow would believe the last.
    rest = (chunk for name, chunk in chunks[1:] if name in needed and name != b"IHDR")
    kept = b"".join([data[:_SIGNATURE], chunks[0][1], *rest])
    turn = ifd.orientation(first.get(b"eXIf", b""))
    samples = len(_COLOURS[colour]) if by_libpng else 4
    bytes_a_pixel = samples * (2 if depth == 16 else 1) + (0.6 if by_libpng and samples == 4 else 0)
    check_memory("PNG", int(width * height * bytes_a_pixel), limits)
    if not by_libpng:
        image = opened(kept, "PNG", (width, height))
        image.load()
        return Source(Opened(image), width, height, PNG, shown=turn == 1, orientation=turn)
    decoded = imagecodecs.png_decode(kept)
    if decoded.shape != (height, width, samples):
        raise FileRefused(Reason.DAMAGED)
    pixels = Array(decoded, to_eight_bits(decoded), _COLOURS[colour])
    return Source(pixels, width, height, PNG, shown=depth == 8 and turn == 1, orientation=turn)


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Names and whole chunks, checksums included, up to the end or to where the file is cut."""
    view, position, count = memoryview(data), _SIGNATURE, 0
    while position + 12 <= len(data):
        count += 1
        if count > SEGMENTS:
            raise too_costly(Sentence(N_("The PNG has very many chunks")))
        end = position + 12 + int.from_bytes(view[position : position + 4], "big")
        if end > len(data):
            return
        name = bytes(view[position + 4 : position + 8])
        yield name, view[position:end]
        if name == b"IEND":
            return
        position = end
