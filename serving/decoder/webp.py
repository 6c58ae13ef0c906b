"""WebP (RFC 9649)."""

from collections.abc import Iterator

import imagecodecs

from serving.contract.sentence import N_, Sentence
from serving.decoder import ifd
from serving.decoder.cost import check_memory, check_size
from serving.decoder.kinds import WEBP
from serving.decoder.limits import SEGMENTS, Limits
from serving.decoder.refused import FileRefused, Reason, too_costly
from serving.decoder.samples import to_eight_bits
from serving.decoder.source import Array, Source

_EXTENDED, _FRAME, _EXIF = b"VP8X", b"ANMF", b"EXIF"
_ANIMATED = 2  # of the extended header's flags
_HEADER, _FRAME_HEADER = 12, 16  # bytes
_LOSSY, _LOSSLESS = b"VP8 ", b"VP8L"


def decode(data: bytes, limits: Limits) -> Source:
    length = 8 + int.from_bytes(data[4:8], "little")
    if length > len(data):
        raise FileRefused(Reason.DAMAGED)
    chunks = list(_chunks(memoryview(data)[:length], _HEADER))
    names = [name for name, _ in chunks]
    if names.count(_FRAME) > 1:
        raise FileRefused(Reason.SEVERAL_PICTURES)
    found = dict(reversed(chunks))
    extended = found[_EXTENDED] if names[:1] == [_EXTENDED] else None
    if extended and extended[0] & _ANIMATED and _FRAME in found:  # an animation of one picture is one
        chunks = list(_chunks(found[_FRAME], _FRAME_HEADER))
    # The first that libwebp would come to: behind it may stand anything.
    name, picture = next((one for one in chunks if one[0] in (_LOSSY, _LOSSLESS)), (b"", memoryview(b"")))
    if name == _LOSSLESS:
        width, height = _lossless_size(picture)
        bytes_a_pixel = 8  # libwebp keeps all of it in 32 bits, beside what it gives back
    elif name == _LOSSY:
        width, height = _lossy_size(picture)
        bytes_a_pixel = 5 if b"ALPH" in dict(chunks) else 3
    else:
        raise FileRefused(Reason.DAMAGED)
    check_size(width, height, limits)
    if extended and _canvas_size(extended) != (width, height):
        raise FileRefused(Reason.DAMAGED)
    check_memory("WebP", width * height * bytes_a_pixel, limits)
    decoded = imagecodecs.webp_decode(data)
    if decoded.ndim != 3 or decoded.shape[:2] != (height, width):
        raise FileRefused(Reason.DAMAGED)
    turn = ifd.orientation(bytes(found.get(_EXIF, b"")).removeprefix(b"Exif\0\0"))
    pixels = Array(decoded, to_eight_bits(decoded), "RGB" if decoded.shape[2] == 3 else "RGBA")
    return Source(pixels, width, height, WEBP, shown=turn == 1, orientation=turn)


def _chunks(data: bytes | memoryview, position: int) -> Iterator[tuple[bytes, memoryview]]:
    view, count, end = memoryview(data), 0, len(data)
    while position + 8 <= end:
        count += 1
        if count > SEGMENTS:
            raise too_costly(Sentence(N_("The WebP has very many chunks")))
        size = int.from_bytes(view[position + 4 : position + 8], "little")
        if position + 8 + size > len(data):
            raise FileRefused(Reason.DAMAGED)
        yield bytes(view[position : position + 4]), view[position + 8 : position + 8 + size]
        position += 8 + size + size % 2


def _canvas_size(extended: memoryview) -> tuple[int, int]:
    return int.from_bytes(extended[4:7], "little") + 1, int.from_bytes(extended[7:10], "little") + 1


def _lossy_size(frame: memoryview) -> tuple[int, int]:
    return _fourteen_bits(frame, 6), _fourteen_bits(frame, 8)


def _lossless_size(frame: memoryview) -> tuple[int, int]:
    bits = int.from_bytes(frame[1:5], "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _fourteen_bits(frame: memoryview, at: int) -> int:
    return int.from_bytes(frame[at : at + 2], "little") & 0x3FFF
