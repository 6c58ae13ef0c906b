"""JPEG, JPEG-LS and lossless JPEG: judged by their markers, then decoded from what matters of them."""

import re
from dataclasses import dataclass
from math import ceil

import imagecodecs

from serving.contract.sentence import N_, Sentence
from serving.decoder import ifd
from serving.decoder.cost import check_memory, check_size
from serving.decoder.kinds import JPEG
from serving.decoder.limits import LARGE, SCANS, SEGMENTS, Limits
from serving.decoder.opened import opened
from serving.decoder.refused import FileRefused, Reason, too_costly
from serving.decoder.samples import to_eight_bits
from serving.decoder.source import Array, Opened, Source

# What ends entropy-coded data: no stuffed zero, no restart, and in JPEG-LS nothing below 0x80.
_MARKER = re.compile(rb"\xff+([\xc0-\xcf\xd8-\xfe])", re.DOTALL)
_NO_FRAMES = {0xC4, 0xC8, 0xCC}  # tables, a reserved one, and arithmetic conditions
_FRAMES = {*range(0xC0, 0xD0), 0xF7} - _NO_FRAMES
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_BY_PILLOW = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
_SHOWN = _HUFFMAN = {0xC0, 0xC1, 0xC2}
_JPEG_LS = 0xF7
LOSSLESS = {0xC3, 0xC7, 0xCB, 0xCF, _JPEG_LS}
_SOI, _EOI, _SOS, _APP1 = 0xD8, 0xD9, 0xDA, 0xE1
# JFIF, Adobe's colour transform, and JPEG-LS's colour transform; EXIF is read here, comments by nobody.
_KEPT_APPS = {0xE0, 0xE8, 0xEE}
_APPS = {*range(0xE0, 0xF0), 0xFE}


@dataclass
class Jpeg:
    """What the markers say; `kept` is the file without what decoding does not need."""

    kept: bytes
    frame: int = 0
    precision: int = 0
    width: int = 0
    height: int = 0
    sampling: tuple[tuple[int, int], ...] = ()
    scans: int = 0
    segments: int = 0
    coded: int = 0
    whole: bool = False
    exif: bytes = b""

    @property
    def blocks(self) -> int:
        """Of 8 by 8 samples, in all components."""
        widest, tallest = (max(side) for side in zip(*self.sampling, strict=True))
        return sum(
            ceil(self.width * h / widest / 8) * ceil(self.height * v / tallest / 8) for h, v in self.sampling
        )

    @property
    def coefficients(self) -> int:
        """Bytes of the coefficients that libjpeg keeps where a picture comes in several scans."""
        if self.frame not in _PROGRESSIVE and self.scans == 1:
            return 0
        return 128 * self.blocks


def parse(data: bytes, limits: Limits) -> Jpeg:
    """Walk the markers.

    Raises:
        FileRefused: it has no picture, or more scans or segments than are borne.
    """
    found = Jpeg(b"")
    kept: list[bytes | memoryview] = [b"\xff\xd8"]
    view, position = memoryview(data), 2
    while marker := _MARKER.search(data, position):
        code, position = marker[1][0], marker.end()
        found.segments += 1
        if found.segments > SEGMENTS:
            raise too_costly(Sentence(N_("The JPEG has very many segments")))
        if code == _EOI:
            found.whole = True
            kept.append(b"\xff\xd9")
            break
        if code == _SOI:
            continue
        length = int.from_bytes(data[position : position + 2], "big")
        if length < 2:  # its own two bytes: less would lead a decoder elsewhere than us
            raise FileRefused(Reason.DAMAGED)
        end = position + length
        payload = data[position + 2 : end]
        if code in _FRAMES:
            _frame(found, code, payload)
        elif code == _APP1 and payload.startswith(b"Exif\0\0") and not found.exif:
            found.exif = payload[6:]
        elif code == _SOS:
            found.scans += 1
            _check_scans(found, limits)
            following = _MARKER.search(data, end)
            found.coded -= end
            end = following.start() if following else len(data)
            found.coded += end
        if code not in _APPS or code in _KEPT_APPS:
            kept += [bytes([0xFF, code]), view[position:end]]
        position = max(end, position)
    if not found.frame:
        raise FileRefused(Reason.DAMAGED)
    found.kept = b"".join(kept)
    return found


def decode(data: bytes, limits: Limits) -> Source:
    found = parse(data, limits)
    check_size(found.width, found.height, limits)
    if len(found.sampling) == 1:
        raise FileRefused(Reason.NO_COLOUR)
    if found.precision != 8 or found.frame not in _BY_PILLOW:
        return _deep(found, limits)
    # A block takes a bit at least, two where it comes in one scan. libjpeg makes what is missing grey.
    if found.frame in _HUFFMAN and 8 * found.coded < found.blocks * (1 if found.frame in _PROGRESSIVE else 2):
        raise FileRefused(Reason.DAMAGED)
    pixels = found.width * found.height
    halved = pixels > LARGE
    check_memory("JPEG", found.coefficients + (pixels if halved else 4 * pixels), limits)
    image = opened(found.kept, "JPEG", (found.width, found.height))
    if halved:  # by libjpeg itself, at a quarter of the memory
        image.draft(None, (ceil(found.width / 2), ceil(found.height / 2)))
    image.load()
    return Source(
        Opened(image),
        found.width,
        found.height,
        JPEG,
        shown=found.frame in _SHOWN and image.mode != "CMYK",
        orientation=ifd.orientation(found.exif),
    )


def _deep(found: Jpeg, limits: Limits) -> Source:
    """More than eight bits, lossless, or JPEG-LS; imagecodecs takes what has no end, so that is asked for."""
    if not found.whole:
        raise FileRefused(Reason.DAMAGED)
    size = 2 if found.precision > 8 else 1
    samples = found.width * found.height * len(found.sampling)
    check_memory("JPEG", size * samples + found.coefficients, limits)
    if found.frame == _JPEG_LS:
        decoded = imagecodecs.jpegls_decode(found.kept)
    else:
        decoded = imagecodecs.jpeg8_decode(found.kept)
    if decoded.shape[:2] != (found.height, found.width) or decoded.ndim != 3:
        raise FileRefused(Reason.DAMAGED)
    modes = {3: "RGB", 4: "CMYK"}
    if decoded.shape[2] not in modes:
        raise FileRefused(Reason.NO_COLOUR)
    depth = None if found.precision == 16 else found.precision  # cameras put fewer bits into 16 here, too
    pixels = Array(decoded, to_eight_bits(decoded, depth=depth), modes[decoded.shape[2]])
    turn = ifd.orientation(found.exif)
    return Source(pixels, found.width, found.height, JPEG, shown=False, orientation=turn)


def _frame(found: Jpeg, code: int, payload: bytes) -> None:
    if found.frame or len(payload) < 6 or len(payload) < 6 + 3 * payload[5]:
        raise FileRefused(Reason.DAMAGED)
    found.frame, found.precision = code, payload[0]
    found.height, found.width = int.from_bytes(payload[1:3], "big"), int.from_bytes(payload[3:5], "big")
    found.sampling = tuple(
        (payload[at] >> 4 or 1, payload[at] & 15 or 1) for at in range(7, 6 + 3 * payload[5], 3)
    )
    if not found.sampling:
        raise FileRefused(Reason.DAMAGED)


def _check_scans(found: Jpeg, limits: Limits) -> None:
    pixels = found.width * found.height
    if found.scans > SCANS or (found.scans > 4 and found.scans * pixels > limits.scanned):
        raise too_costly(
            Sentence(N_("The JPEG goes over its picture %(times)s times or more"), {"times": found.scans})
        )
