"""Files as microscopes, phones and converters write them: each shows the same cell, or is refused by name."""

import io
import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from infra.demo.cells import draw
from serving.decoder.read import read
from serving.decoder.refused import FileRefused, Reason

MAX_PIXELS = 25_000_000
SIZE = 224
CELL = draw("eosinophil", seed=4)
EIGHT = np.asarray(CELL)
UPLOADS = Path(__file__).parents[5] / "shared" / "cases" / "uploads"


def taken(data):
    return read(data, size=SIZE, max_pixels=MAX_PIXELS)


def refused(data):
    with pytest.raises(FileRefused) as caught:
        taken(data)
    return caught.value


def png(image=CELL, **options):
    out = io.BytesIO()
    image.save(out, "PNG", **options)
    return out.getvalue()


def tiff(samples, **options):
    out = io.BytesIO()
    with tifffile.TiffWriter(
        out, byteorder=options.pop("byteorder", "<"), bigtiff=options.pop("bigtiff", False)
    ) as to:
        to.write(samples, **{"photometric": "rgb", **options})
    return out.getvalue()


def by_pillow(**options):
    out = io.BytesIO()
    CELL.save(out, "TIFF", **options)
    return out.getvalue()


EXPECTED = read(png(), size=SIZE, max_pixels=MAX_PIXELS).pixels.astype(int)


def difference(data):
    """Mean difference from the cell, in levels of 255, of what the model gets."""
    return np.abs(taken(data).pixels.astype(int) - EXPECTED).mean()


def in_bits(bits):
    return (EIGHT.astype(np.float64) / 255 * (2**bits - 1)).round().astype(np.uint16)


def planes(samples):
    return np.ascontiguousarray(np.moveaxis(samples, 2, 0))


def with_alpha(alpha, samples=EIGHT):
    return np.dstack([samples, np.full(samples.shape[:2], alpha, samples.dtype)])


def lab(bits, *, icc=False):
    srgb, profile = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    made = np.asarray(ImageCms.profileToProfile(CELL, srgb, profile, outputMode="LAB"))
    raw = made.copy()
    if icc:
        raw[..., 1:] ^= 0x80
    return raw if bits == 8 else raw.astype(np.uint16) << 8


TIFFS = {
    "8 bits": lambda: tiff(EIGHT),
    "16 bits, planar": lambda: tiff(planes(in_bits(16)), planarconfig="separate"),
    "8 bits, planar, deflate": lambda: tiff(planes(EIGHT), planarconfig="separate", compression="zlib"),
    "16 bits, planar, tiled, big-endian": lambda: tiff(
        planes(in_bits(16)),
        planarconfig="separate",
        tile=(64, 64),
        byteorder=">",
        compression="zlib",
        predictor=True,
    ),
    "10 bits in 16": lambda: tiff(in_bits(10)),
    "12 bits in 16": lambda: tiff(in_bits(12)),
    "14 bits in 16, big-endian": lambda: tiff(in_bits(14), byteorder=">"),
    "16 bits, lzw, predictor": lambda: tiff(in_bits(16), compression="lzw", predictor=True),
    "16 bits, zstd": lambda: tiff(in_bits(16), compression="zstd", predictor=True),
    "16 bits, lzma": lambda: tiff(in_bits(16), compression="lzma"),
    "16 bits, packbits": lambda: tiff(in_bits(16), compression="packbits"),
    "BigTIFF, big-endian, lzw": lambda: tiff(EIGHT, bigtiff=True, byteorder=">", compression="lzw"),
    "BigTIFF, jpeg": lambda: tiff(EIGHT, bigtiff=True, compression="jpeg", tile=(128, 128)),
    "jpeg, RGB": lambda: tiff(
        EIGHT, compression="jpeg", compressionargs={"level": 97, "outcolorspace": "rgb"}
    ),
    "jpeg, tiles": lambda: tiff(EIGHT, compression="jpeg", tile=(64, 64), compressionargs={"level": 97}),
    "jpeg by libtiff, tables apart": lambda: by_pillow(compression="jpeg", quality=97),
    "float": lambda: tiff((EIGHT / 255).astype(np.float32)),
    "float up to 255": lambda: tiff(EIGHT.astype(np.float32)),
    "float up to 65535, deflate, predictor, big-endian": lambda: tiff(
        in_bits(16).astype(np.float32), byteorder=">", compression="zlib", predictor=True
    ),
    "half float": lambda: tiff((EIGHT / 255).astype(np.float16)),
    "double with what is no number": lambda: tiff(np.where(np.indices(EIGHT.shape)[0], EIGHT / 255, np.nan)),
    "signed": lambda: tiff((in_bits(16) // 2).astype(np.int16)),
    "32 bits": lambda: tiff(in_bits(16).astype(np.uint32)),
    "CIELAB": lambda: tiff(lab(8), photometric="cielab"),
    "CIELAB, 16 bits": lambda: tiff(lab(16), photometric="cielab"),
    "ICCLAB": lambda: tiff(lab(8, icc=True), photometric="icclab"),
    "alpha all 0": lambda: tiff(with_alpha(0), extrasamples=["unassalpha"]),
    "premultiplied alpha all 0": lambda: tiff(with_alpha(0), extrasamples=["assocalpha"]),
    "16 bits and alpha": lambda: tiff(with_alpha(65535, in_bits(16)), extrasamples=["unassalpha"]),
    "12 bits and alpha of 16": lambda: tiff(with_alpha(65535, in_bits(12)), extrasamples=["unassalpha"]),
    "a fourth channel that is nothing": lambda: tiff(with_alpha(0), extrasamples=["unspecified"]),
    "three channels not called colours": lambda: tiff(
        in_bits(16), photometric="minisblack", planarconfig="contig"
    ),
    "CMYK": lambda: tiff(np.asarray(CELL.convert("CMYK")), photometric="separated"),
    "YCbCr 4:2:0, not compressed": lambda: subsampled(2, 2),
    "YCbCr 4:1:1, not compressed": lambda: subsampled(4, 1),
    "12 bits in 16 with a few values above": lambda: tiff(overshot(in_bits(12), 4300)),
    "float up to 255 with overshoot": lambda: tiff(overshot(EIGHT.astype(np.float32), 270)),
    "rows of one": lambda: tiff(EIGHT, rowsperstrip=1, compression="zlib"),
    "a strip written too long": lambda: padded_strip(),
}  # fmt: skip


def overshot(samples, value):
    """What a flat field's correction or resampling leaves above the largest value."""
    samples = samples.copy()
    samples[5, 5] = value
    return samples


def subsampled(across, down):
    """YCbCr that is not compressed, as scanners' software writes it: blocks of Y, then one Cb and one Cr."""
    height, width = (-(-side // step) * step for side, step in zip(EIGHT.shape, (down, across), strict=False))
    padded = np.pad(
        np.asarray(CELL.convert("YCbCr")),
        ((0, height - EIGHT.shape[0]), (0, width - EIGHT.shape[1]), (0, 0)),
        "edge",
    )
    blocks = padded.reshape(height // down, down, width // across, across, 3)
    light = blocks[..., 0].transpose(0, 2, 1, 3).reshape(height // down, width // across, -1)
    data = np.dstack([light, blocks[..., 1:].mean((1, 3)).round().astype(np.uint8)]).tobytes()
    bits, where = 8 + 2 + 10 * 12 + 4, 8 + 2 + 10 * 12 + 4 + 6
    tags = [
        *(
            (256, 3, 1, CELL.width),
            (257, 3, 1, CELL.height),
            (258, 3, 3, bits),
            (259, 3, 1, 1),
            (262, 3, 1, 6),
        ),
        *((273, 4, 1, where), (277, 3, 1, 3), (278, 3, 1, CELL.height), (279, 4, 1, len(data))),
        (530, 3, 2, across | down << 16),
    ]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries
    return head + struct.pack("<I3H", 0, 8, 8, 8) + data


def test_a_dark_picture_that_says_how_many_bits_it_has_stays_dark():
    said = [(281, "H", 3, (4095, 4095, 4095), True)]
    found = taken(tiff(in_bits(12) // 4, extratags=said))
    assert np.abs(found.pixels - EXPECTED / 4).mean() < 3


def padded_strip():
    """Some software deflates rows beyond the picture's end."""
    out = io.BytesIO()
    with tifffile.TiffWriter(out) as to:
        to.write(
            iter([zlib.compress(EIGHT.tobytes() + bytes(10_000))]),
            shape=EIGHT.shape,
            dtype=np.uint8,
            photometric="rgb",
            compression="zlib",
            rowsperstrip=EIGHT.shape[0],
        )
    return out.getvalue()


@pytest.mark.parametrize("kind", TIFFS)
def test_tiffs_of_all_kinds_show_the_cell(kind):
    data = TIFFS[kind]()
    assert difference(data) < 3
    found = taken(data)
    assert (found.width, found.height, found.media_type) == (*CELL.size, "image/tiff")
    assert (
        np.abs(np.asarray(Image.open(io.BytesIO(found.display)).convert("RGB")).astype(int) - EIGHT).mean()
        < 4
    )


def ordinary_jpeg():
    out = io.BytesIO()
    CELL.save(out, "JPEG", quality=95)
    return out.getvalue()


OTHERS = {
    "12-bit JPEG": lambda: imagecodecs.jpeg8_encode(in_bits(12), level=98, bitspersample=12),
    "lossless JPEG": lambda: imagecodecs.jpeg8_encode(EIGHT, lossless=True),
    "lossless JPEG of 16 bits": lambda: imagecodecs.jpeg8_encode(in_bits(16), lossless=True),
    "JPEG-LS": lambda: imagecodecs.jpegls_encode(EIGHT),
    "JPEG-LS of 12 bits in 16": lambda: imagecodecs.jpegls_encode(in_bits(12)),
    "PNG of 16 bits": lambda: imagecodecs.png_encode(in_bits(16)),
    "PNG of 12 bits in 16": lambda: imagecodecs.png_encode(in_bits(12)),
    "PNG, alpha all 0": lambda: png(Image.fromarray(with_alpha(0))),
    "PNG of 16 bits, alpha all 0": lambda: imagecodecs.png_encode(with_alpha(0, in_bits(16))),
    "WebP, alpha all 0": lambda: imagecodecs.webp_encode(with_alpha(0), lossless=True),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_browsers_do_not_show_right_is_taken_with_a_copy(kind):
    data = OTHERS[kind]()
    assert difference(data) < 3
    assert taken(data).display


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_what_shines_through_is_shown_as_the_model_got_it(form):
    """A page may be dark; the model gets transparent pixels as white."""
    opacity = np.full(EIGHT.shape[:2], 255, np.uint8)
    opacity[:40] = 100
    out = io.BytesIO()
    Image.fromarray(np.dstack([EIGHT, opacity])).save(out, form, lossless=True)
    shown = np.asarray(Image.open(io.BytesIO(taken(out.getvalue()).display)))
    expected = np.where(opacity[..., None] < 255, 255 - (255 - EIGHT.astype(int)) * 100 / 255, EIGHT)
    assert np.abs(shown - expected).max() <= 2
    assert taken(png(Image.fromarray(with_alpha(255)))).display is None


@pytest.mark.parametrize("kind", ["12-bit JPEG", "lossless JPEG", "JPEG-LS", "PNG of 16 bits"])
def test_cut_short_they_are_damaged(kind):
    data = OTHERS[kind]()
    assert refused(data[: len(data) * 2 // 3]).reason == Reason.DAMAGED


def with_chunk(name, payload):
    data = png()
    at = data.index(b"IDAT") - 4
    check = struct.pack(">I", zlib.crc32(name + payload))
    return data[:at] + struct.pack(">I", len(payload)) + name + payload + check + data[at:]


@pytest.mark.parametrize(
    "chunk",
    [
        (b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 2_000_000)),
        (b"tEXt", b"Comment\0" + b"x" * 2_000_000),
        (b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(b"x" * 2_000_000)),
        (b"iCCP", b"icc\0\0" + zlib.compress(bytes(2_000_000))),
        (b"prVt", b"our own"),
    ],
)  # fmt: skip
def test_what_a_png_says_beside_its_picture_is_passed_over(chunk):
    assert difference(with_chunk(*chunk)) == 0


@pytest.mark.parametrize("reduced", [True, False])
@pytest.mark.parametrize("first", [True, False])
def test_a_thumbnail_is_no_second_picture(reduced, first):
    small = np.asarray(CELL.resize((CELL.width // 8, CELL.height // 8)))
    pages = [(EIGHT, 0), (small, 1 if reduced else 0)]
    out = io.BytesIO()
    with tifffile.TiffWriter(out) as to:
        for samples, kind in reversed(pages) if first else pages:
            to.write(samples, photometric="rgb", subfiletype=kind, metadata=None)
    assert difference(out.getvalue()) == 0


@pytest.mark.parametrize(
    "second",
    [
        draw("neutrophil", seed=5),
        draw("lymphocyte", seed=6).resize((CELL.width // 2, CELL.height // 2)),
        CELL.resize((200, 90)),
    ],
)
def test_a_second_picture_is_one(second):
    out = io.BytesIO()
    with tifffile.TiffWriter(out) as to:
        to.write(EIGHT, photometric="rgb")
        to.write(np.asarray(second), photometric="rgb")
    assert refused(out.getvalue()).reason == Reason.SEVERAL_PICTURES


@pytest.mark.parametrize(
    ("samples", "options", "named"),
    [
        (EIGHT, {"compression": "jpeg2000"}, "JPEG 2000"),
        (EIGHT, {"compression": "lerc"}, "LERC"),
        (EIGHT, {"description": "Aperio Image Library v11\nAppMag=40"}, "Aperio SVS"),
        (EIGHT[..., 0], {"photometric": "cfa", "extratags": [(50706, "B", 1, 1, True)]}, "raw file"),
        (np.dstack([EIGHT] * 4), {"photometric": "minisblack", "planarconfig": "contig"}, "12 channels"),
        (EIGHT, {"compression": "jpeg", "compressionargs": {"lossless": True}}, "lossless JPEG"),
    ],
)  # fmt: skip
def test_tiffs_that_are_not_read_are_named(samples, options, named):
    why = refused(tiff(samples, **options))
    assert why.reason == Reason.UNSUPPORTED_TYPE
    assert named in str(why.detail)


@pytest.mark.parametrize("writer", [{"imagej": True}, {"ome": True}])
def test_channels_that_lie_apart_are_told_from_a_picture_without_colour(writer):
    out = io.BytesIO()
    with tifffile.TiffWriter(out, **writer) as to:
        to.write(planes(in_bits(12)), photometric="minisblack", metadata={"axes": "CYX"})
    why = refused(out.getvalue())
    assert why.reason == Reason.NO_COLOUR
    assert "channels" in str(why.detail)
    assert refused(tiff(EIGHT[..., 0], photometric="minisblack")).detail is None


def bmp(compression, bits, data):
    """A BMP of version 5 whose colours are alpha and 4 bits each, where `compression` asks for such."""
    head = struct.pack("<IiiHHIIiiII", 124, *CELL.size, 1, bits, compression, len(data), 0, 0, 0, 0)
    head += struct.pack("<4I", 0xF00, 0xF0, 0xF, 0xF000)
    return b"BM" + struct.pack("<IHHI", 138 + len(data), 0, 0, 138) + head.ljust(124, b"\0") + data


@pytest.mark.parametrize(
    ("made", "named"),
    [
        (lambda: bmp(4, 0, ordinary_jpeg()), "JPEG inside"),
        (lambda: bmp(5, 0, png()), "PNG inside"),
        (lambda: bmp(3, 16, bytes(2 * CELL.width * CELL.height)), "this many bits"),
    ],
)
def test_bmps_that_are_not_read_are_named(made, named):
    why = refused(made())
    assert why.reason == Reason.UNSUPPORTED_TYPE
    assert named in str(why.detail)


@pytest.mark.parametrize("turn", range(1, 9))
def test_orientation_of_large_and_small_pictures(turn):
    methods = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # what undoes each
    stored = CELL if turn == 1 else CELL.transpose(list(Image.Transpose)[methods[turn]])
    found = taken(tiff(np.asarray(stored), extratags=[(274, "H", 1, turn, True)]))
    assert (found.width, found.height) == CELL.size
    assert np.abs(found.pixels.astype(int) - EXPECTED).mean() < 1


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "BMP", "WEBP"])
def test_a_large_picture_is_shrunk_by_bands_and_looks_the_same(form):
    large = CELL.resize((2600, 2600), Image.Resampling.BICUBIC)
    out = io.BytesIO()
    large.save(out, form, **({"quality": 95} if form in ("JPEG", "WEBP") else {}))
    found = taken(out.getvalue())
    assert (found.width, found.height) == (2600, 2600)
    assert np.abs(found.pixels.astype(int) - EXPECTED).mean() < 3
    if found.display:
        assert Image.open(io.BytesIO(found.display)).width <= 2000


@pytest.mark.parametrize("path", sorted(UPLOADS.glob("*")), ids=lambda path: path.name)
def test_files_that_went_wrong_in_use_show_a_cell(path):
    found = taken(path.read_bytes())
    corner, middle = found.pixels[:20, :20].mean(), found.pixels[80:140, 80:140].mean()
    assert (found.width, found.height) == (360, 363)
    assert found.pixels.max() > 200
    assert middle < corner  # a stained cell before a bright background


def test_the_media_type_is_of_the_content():
    assert taken(ordinary_jpeg()).media_type == "image/jpeg"
    assert taken(png()).media_type == "image/png"


def test_a_webp_animation_of_one_picture_is_one():
    out = io.BytesIO()
    CELL.save(out, "WEBP", save_all=True, append_images=[CELL.rotate(90)], lossless=True)
    body, position, parts, frames = out.getvalue(), 12, [], 0
    while position < len(body):
        end = position + 8 + -(-int.from_bytes(body[position + 4 : position + 8], "little") // 2) * 2
        frames += body[position : position + 4] == b"ANMF"
        if frames < 2:
            parts.append(body[position:end])
        position = end
    kept = b"WEBP" + b"".join(parts)
    assert difference(b"RIFF" + struct.pack("<I", len(kept)) + kept) == 0
    assert refused(out.getvalue()).reason == Reason.SEVERAL_PICTURES
