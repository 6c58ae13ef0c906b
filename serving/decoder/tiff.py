"""TIFF and BigTIFF: which of its pictures is meant, and its samples.

Microscopes' software writes any depth, order and layout. Eight-bit pictures that libtiff knows best (JPEG
inside, palettes, YCbCr) go to Pillow, in a file with that picture's tags alone; all others are put together
here from strips or tiles that imagecodecs decodes, each bounded by what it must hold.
"""

import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import imagecodecs
import numpy as np
from PIL import Image, ImageCms, TiffImagePlugin

from serving.contract.sentence import N_, Sentence
from serving.decoder import jpeg, tiff_page
from serving.decoder.cost import check_memory, check_size
from serving.decoder.ifd import ORIENTATION, Directory, directories
from serving.decoder.kinds import TIFF
from serving.decoder.limits import SEGMENTS, SEGMENTS_OF_A_PIECE, Limits
from serving.decoder.opened import opened
from serving.decoder.refused import FileRefused, Reason, too_costly, unusual
from serving.decoder.samples import Samples, to_eight_bits
from serving.decoder.source import Array, Opened, Pixels, Source, from_bytes, upright_rgb
from serving.decoder.tiff_page import Page, Piece

# Pillow's own reader of what is not compressed knows no subsampled YCbCr; libtiff does.
TiffImagePlugin.READ_LIBTIFF = True

_CODECS: dict[int, Callable[..., bytes | bytearray | memoryview]] = {
    tiff_page.LZW: imagecodecs.lzw_decode,
    tiff_page.DEFLATE: imagecodecs.zlib_decode,
    tiff_page.OLD_DEFLATE: imagecodecs.zlib_decode,
    tiff_page.PACKBITS: imagecodecs.packbits_decode,
    tiff_page.LZMA: imagecodecs.lzma_decode,
    tiff_page.ZSTD: imagecodecs.zstd_decode,
    tiff_page.OLD_ZSTD: imagecodecs.zstd_decode,
}
_HERE = {tiff_page.NONE, *_CODECS}
_BY_PILLOW = {*_HERE, tiff_page.JPEG} - {tiff_page.LZMA, tiff_page.ZSTD, tiff_page.OLD_ZSTD}
# untranslated: names of formats
_OTHERS = {
    2: "CCITT", 3: "CCITT", 4: "CCITT", 6: N_("old-style JPEG"), 33003: "JPEG 2000", 33005: "JPEG 2000",
    33007: "JPEG", 34712: "JPEG 2000", 34887: "LERC", 34892: "JPEG", 34927: "WebP", 50001: "WebP",
    34933: "PNG", 34934: "JPEG XR", 22610: "JPEG XR", 50002: "JPEG XL", 52546: "JPEG XL",
    34925: "LZMA", 34926: "ZSTD", 50000: "ZSTD",
}  # fmt: skip
_COLOUR_FILTERS, _LINEAR_RAW = 32803, 34892  # photometric
_DNG, _NDPI = 50706, 65420  # tags
_SLIDES = {
    b"Aperio": N_(
        "This is an Aperio SVS whole slide, with thousands of cells. Export each cell's region as TIFF."
    ),
    b"PerkinElmer-QPI": N_(
        "This is a QPTIFF whole slide, with thousands of cells. Export each cell's region as TIFF."
    ),
    b"<scn": N_(
        "This is a Leica SCN whole slide, with thousands of cells. Export each cell's region as TIFF."
    ),
    b"Ventana": N_(
        "This is a Ventana BIF whole slide, with thousands of cells. Export each cell's region as TIFF."
    ),
}
_HAMAMATSU = N_(
    "This is a Hamamatsu NDPI whole slide, with thousands of cells. Export each cell's region as TIFF."
)
# What libtiff needs of a picture.
_KEPT = (256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 332, 338, 339,
         347, 529, 530, 531, 532)  # fmt: skip
_COPIES = 3  # unmarked, each of which has to be looked at
_PADDED = 32_000_000  # bytes of a strip
_TABLES = 65_536  # bytes
_ALIKE = 20  # levels of 255 by which a thumbnail differs from its picture at most, on average


def decode(data: bytes, limits: Limits) -> Source:
    chain, below = directories(data)
    _check_kind(chain, below)
    page, others = _meant([Page(one) for one in chain], [Page(one) for one in below])
    check_size(page.width, page.height, limits)
    _check_channels(page, others)
    source = _decoded(page, limits)
    if len(others) > _COPIES:
        raise FileRefused(Reason.SEVERAL_PICTURES)
    for other in others:
        if not _is_thumbnail(other, source, limits):
            raise FileRefused(Reason.SEVERAL_PICTURES)
    return source


def _check_kind(chain: Sequence[Directory], below: Sequence[Directory]) -> None:
    first = chain[0]
    said = first.bytes_of(270, 512) + first.bytes_of(700, 512)
    slide = next(
        (what for mark, what in _SLIDES.items() if mark in said), _HAMAMATSU if _NDPI in first else ""
    )
    if slide:
        raise FileRefused(Reason.UNSUPPORTED_TYPE, Sentence(slide))
    raw = {_COLOUR_FILTERS, _LINEAR_RAW}
    if _DNG in first or any(Page(one).photometric in raw for one in (*chain, *below)):
        raise FileRefused(
            Reason.UNSUPPORTED_TYPE,
            Sentence(N_("This is a camera's raw file. Develop it to TIFF or JPEG in the camera's software.")),
        )


def _meant(chain: list[Page], below: list[Page]) -> tuple[Page, list[Page]]:
    """The picture that the file is of, and others that may be thumbnails of it or pictures of their own.

    A thumbnail may lie behind its picture or before it, and says so or does not.
    """
    whole = (
        [page for page in chain if not page.reduced] or [page for page in below if not page.reduced] or chain
    )
    page = max(whole, key=lambda one: one.area)
    others = [
        other for other in whole if other is not page and not (other.reduced and other.area < page.area)
    ]
    # One that calls itself reduced and is as large is a picture of its own.
    others += [other for other in chain if other not in whole and other.area >= page.area]
    return page, others


def _check_channels(page: Page, others: Sequence[Page]) -> None:
    """
    Raises:
        FileRefused: the picture's colours lie apart, each a grey picture of its own.
    """
    alike = any((other.width, other.height) == (page.width, page.height) for other in others)
    # ImageJ need not describe the others.
    if _is_grey(page) and (alike or b"channels=" in page.tags.bytes_of(270, 512)):
        raise FileRefused(
            Reason.NO_COLOUR,
            Sentence(
                N_(
                    "The file holds several grey pictures, perhaps the channels of one. Save it as one RGB "
                    "picture; in ImageJ: Image ▸ Type ▸ RGB Color."
                )
            ),
        )


def _is_grey(page: Page) -> bool:
    return page.photometric in (tiff_page.GREY, tiff_page.WHITE_IS_ZERO) and page.samples < 3


def _is_thumbnail(other: Page, source: Source, limits: Limits) -> bool:
    """Whether an unmarked second picture is a small copy of the first: of its shape, and alike."""
    scale = other.width / source.width
    if scale > 0.5 or abs(other.height - source.height * scale) > 1.5:
        return False
    try:
        theirs = _decoded(other, limits)
        looks = [
            np.asarray(
                upright_rgb(replace(one, orientation=1))[0].resize((16, 16), Image.Resampling.BOX), np.int16
            )
            for one in (source, theirs)
        ]
    except FileRefused:
        return False
    return bool(np.abs(looks[0] - looks[1]).mean() < _ALIKE)


def _decoded(page: Page, limits: Limits) -> Source:
    page.check(limits)
    turn = page.tags.number(ORIENTATION, 1)
    pixels = _pixels(page, limits)
    return Source(
        pixels, page.width, page.height, TIFF, shown=False, orientation=turn if 1 <= turn <= 8 else 1
    )


def _pixels(page: Page, limits: Limits) -> Pixels:
    if _is_grey(page):
        raise FileRefused(Reason.NO_COLOUR)
    if page.compression not in _HERE | _BY_PILLOW:
        if page.compression not in _OTHERS:
            text = N_("A TIFF with number %(number)s compression")
            raise unusual(Sentence(text, {"number": page.compression}))
        raise unusual(Sentence(N_("A TIFF with %(name)s compression"), {"name": _called(page)}))
    colours = {
        tiff_page.RGB: "RGB",
        tiff_page.GREY: "RGB",  # cameras' software that writes three channels and does not call them colours
        tiff_page.CMYK: "CMYK",
        tiff_page.CIELAB: "LAB",
        tiff_page.ICCLAB: "LAB",
    }.get(page.photometric)
    if _is_plain_jpeg(page):
        _check_jpegs(page, limits)
        return _array(page, "RGB")
    if colours and page.samples >= len(colours) and page.compression in _HERE and page.sample_format:
        return _array(page, colours)
    if page.compression not in _BY_PILLOW:
        text = N_("A TIFF with %(name)s compression and colours other than RGB")
        raise unusual(Sentence(text, {"name": _called(page)}))
    if page.bits > 8 or page.sample_format != "u":
        raise unusual(Sentence(N_("A TIFF with %(bits)s bits in this layout"), {"bits": page.bits}))
    return _by_pillow(page, limits)


def _called(page: Page) -> Sentence:
    """Its compression, which is one of `_OTHERS`."""
    return Sentence(_OTHERS[page.compression])


def _is_plain_jpeg(page: Page) -> bool:
    colour = page.photometric in (tiff_page.RGB, tiff_page.YCBCR)
    return page.compression == tiff_page.JPEG and colour and page.samples == 3 and not page.planar


def _check_jpegs(page: Page, limits: Limits) -> None:
    """
    Raises:
        FileRefused: a strip or tile holds a larger picture than it shows, or is progressive or lossless, or
            all hold much else.
    """
    pieces, segments = page.pieces(), 0
    for piece in pieces:
        inner = jpeg.parse(page.tags.data[piece.offset : piece.offset + piece.size], limits)
        if inner.frame in jpeg.LOSSLESS:
            raise unusual(Sentence(N_("A TIFF with lossless JPEG compression")))
        if inner.width > piece.columns or inner.height > piece.rows or inner.scans > 4:
            raise FileRefused(Reason.DAMAGED)
        segments += inner.segments
        if segments > max(SEGMENTS, SEGMENTS_OF_A_PIECE * len(pieces)):
            raise too_costly(Sentence(N_("The TIFF's JPEGs have very many segments")))


def _by_pillow(page: Page, limits: Limits) -> Pixels:
    pieces = page.pieces()
    if page.compression == tiff_page.JPEG:
        _check_jpegs(page, limits)
    strip = max(piece.rows * piece.columns for piece in pieces) * page.samples
    check_memory("TIFF", 4 * page.area + strip, limits)
    image = opened(_alone(page.tags), "TIFF", (page.width, page.height))
    image.load()
    return Opened(image)


def _alone(tags: Directory) -> bytes:
    """The file with this one directory, of the tags that decoding needs: no library reads another."""
    big = struct.unpack_from(tags.order + "H", tags.data, 2)[0] == 43
    header, count, entry, room = (16, "Q", "HHQ", 8) if big else (8, "H", "HHI", 4)
    offset = "Q" if big else "I"
    where = len(tags.data) + len(tags.data) % 2
    kept = [(tag, *tags.tags[tag]) for tag in _KEPT if tag in tags]
    values = where + struct.calcsize("=" + count) + len(kept) * (struct.calcsize("=" + entry) + room) + room
    directory, behind = [struct.pack(tags.order + count, len(kept))], b""
    for tag, kind, number, _ in kept:
        value = tags.bytes_of(tag, len(tags.data))
        if len(value) > room:
            behind += value + b"\0" * (len(value) % 2)
            value = struct.pack(tags.order + offset, values + len(behind) - len(value) - len(value) % 2)
        directory.append(struct.pack(tags.order + entry, tag, kind, number) + value.ljust(room, b"\0"))
    start = struct.pack(tags.order + offset, where)
    padding = b"\0" * (where - len(tags.data))
    body = tags.data[header:]
    head = tags.data[:8] + start if big else tags.data[:4] + start
    return b"".join([head, body, padding, *directory, b"\0" * room, behind])


def _array(page: Page, colours: str) -> Array:
    samples = _samples(page)
    if page.photometric in (tiff_page.CIELAB, tiff_page.ICCLAB):
        return Array(samples[..., :3], _lab_to_rgb(page), "RGB")
    mode, channels = colours, len(colours)
    extra = page.tags.numbers(338, 16)
    if colours == "RGB" and page.samples > 3 and extra and extra[0] in (1, 2) and samples[..., 3].any():
        mode, channels = ("RGBa" if extra[0] == 1 else "RGBA"), 4
    samples = samples[..., :channels]
    depth = page.bits if page.bits not in (8, 16, 32, 64) else None
    scaled = to_eight_bits(samples, colours=len(colours), depth=depth, white=page.white)
    return Array(samples, scaled, mode)


def _samples(page: Page) -> Samples:
    """All samples [height, width, channels] in this machine's byte order."""
    dtype = _dtype(page)
    pieces = page.pieces()
    if len(pieces) == 1 and pieces[0].columns == page.width:  # a second copy of it would be large
        return _piece(page, pieces[0], dtype)[: page.height]
    samples = np.zeros((page.height, page.width, page.samples), dtype)
    for piece in pieces:
        decoded = _piece(page, piece, dtype)
        rows, columns = min(piece.rows, page.height - piece.top), min(piece.columns, page.width - piece.left)
        part = np.s_[piece.top : piece.top + rows, piece.left : piece.left + columns]
        if page.planar:
            samples[(*part, piece.plane)] = decoded[:rows, :columns, 0]
        else:
            samples[part] = decoded[:rows, :columns]
    return samples


def _dtype(page: Page) -> np.dtype[Any]:
    bits = page.bits
    if page.sample_format == "f" and bits not in (16, 32, 64):
        raise unusual(Sentence(N_("A TIFF of floating-point numbers of %(bits)s bits"), {"bits": bits}))
    if bits < 8 or (bits > 16 and bits not in (32, 64)):
        raise unusual(Sentence(N_("A TIFF with %(bits)s bits a channel"), {"bits": bits}))
    return np.dtype(f"{page.sample_format}{page.sample_bytes}")


def _piece(page: Page, piece: Piece, dtype: np.dtype[Any]) -> Samples:
    if page.compression == tiff_page.JPEG:
        return _jpeg_piece(page, piece, dtype)
    channels = 1 if page.planar else page.samples
    row = -(-piece.columns * channels * page.bits // 8)
    raw = _uncompressed(page, piece, row * piece.rows)
    if len(raw) < row * piece.rows:
        raise FileRefused(Reason.DAMAGED)
    shape = (piece.rows, piece.columns, channels)
    if page.bits not in (8, 16, 32, 64):
        unpacked = imagecodecs.packints_decode(bytes(raw), dtype, page.bits, runlen=piece.columns * channels)
        return np.asarray(unpacked).reshape(shape)
    stored = np.frombuffer(
        raw,
        dtype.newbyteorder("<" if page.tags.order == "<" else ">"),
        count=piece.rows * piece.columns * channels,
    )
    return _unpredicted(page, stored.reshape(shape)).astype(dtype, copy=False)


def _jpeg_piece(page: Page, piece: Piece, dtype: np.dtype[Any]) -> Samples:
    """A strip or tile that is a JPEG of its own, whose tables may stand in a tag (TIFF Technical Note 2)."""
    decoded = imagecodecs.jpeg8_decode(
        page.tags.data[piece.offset : piece.offset + piece.size],
        tables=page.tags.bytes_of(347, _TABLES) or None,
        colorspace="YCBCR" if page.photometric == tiff_page.YCBCR else "RGB",
        outcolorspace="RGB",
    )
    needed = (min(piece.rows, page.height - piece.top), min(piece.columns, page.width - piece.left), 3)
    if decoded.dtype != dtype or any(has < needs for has, needs in zip(decoded.shape, needed, strict=True)):
        raise FileRefused(Reason.DAMAGED)
    return np.asarray(decoded)


def _uncompressed(page: Page, piece: Piece, size: int) -> bytes | bytearray | memoryview:
    """The bytes of a strip or tile; never more than `size` of them."""
    raw = page.tags.data[piece.offset : piece.offset + piece.size]
    if page.tags.number(266, 1) == 2:
        raw = bytes(imagecodecs.bitorder_decode(raw))
    codec = _CODECS.get(page.compression)
    if codec is None:
        return raw
    try:
        return codec(raw, out=bytearray(size))
    except imagecodecs.ZlibError:
        if size > _PADDED:
            raise
        # Some write more than the picture needs. This takes twice the memory.
        return zlib.decompressobj().decompress(raw, size)


def _unpredicted(page: Page, samples: Samples) -> Samples:
    if page.predictor == 1 or page.compression in (tiff_page.NONE, tiff_page.PACKBITS):
        return samples
    if page.predictor == 2:
        native = samples.astype(samples.dtype.newbyteorder("="), copy=False)
        return np.asarray(imagecodecs.delta_decode(native, axis=-2, out=native))
    if page.predictor == 3 and page.sample_format == "f":
        return np.asarray(imagecodecs.floatpred_decode(samples, axis=-2))
    raise unusual(Sentence(N_("A TIFF with predictor %(number)s"), {"number": page.predictor}))


def _lab_to_rgb(page: Page) -> Any:
    """CIE L*a*b* (D50) to sRGB; of 16 bits the high ones. a* and b* are signed, unless ICC's."""
    if page.sample_format == "f" or page.bits not in (8, 16):
        raise unusual(Sentence(N_("A CIELAB TIFF with %(bits)s bits a channel"), {"bits": page.bits}))
    shift, offset = page.bits - 8, page.photometric == tiff_page.ICCLAB

    def scaled(rows: Samples) -> Any:
        lab = (rows.view(f"u{rows.dtype.itemsize}") >> shift).astype(np.uint8)
        if offset:  # Pillow takes them as signed
            lab[..., 1:] ^= 0x80
        return np.asarray(ImageCms.applyTransform(from_bytes(lab, "LAB"), _lab_transform()))

    return scaled


@cache
def _lab_transform() -> ImageCms.ImageCmsTransform:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, srgb, "LAB", "RGB")
