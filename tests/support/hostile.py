"""Small files that would cost much to decode: ``hostile_pictures()`` makes them by name.

Each lies about one thing: scans, tiles, strips, chunks, dimensions, colour tables, directories, tags.
"""

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from PIL import Image

SIDE = 5000
Tags = Mapping[int, int | tuple[int, int]]
_MARK = 0xFF


def hostile_pictures() -> dict[str, Callable[[], bytes]]:
    """Functions that make the files, by names that say what each lies about."""
    return {
        "jpeg, one progressive scan 25,000 times": partial(jpeg_with_scans, 25_000),
        "jpeg, its scans 60 times": partial(jpeg_with_scans, 60),
        "jpeg, its scans 9 times": partial(jpeg_with_scans, 9),
        "jpeg, small, 100,000 scans": partial(jpeg_with_scans, 100_000, side=200),
        "jpeg, baseline scan 25,000 times": partial(jpeg_with_scans, 25_000, progressive=False),
        "jpeg, a million empty segments": partial(jpeg_with_segments, b"\xff\xe2\x00\x02", 1_000_000),
        "jpeg, a million comments": partial(jpeg_with_segments, b"\xff\xfe\x00\x02", 1_000_000),
        "jpeg, 20,000 Huffman tables": partial(jpeg_with_segments, _huffman_table(), 200_000),
        "jpeg, scans behind a segment of no length": jpeg_with_hidden_scans,
        "jpeg, 65,535 pixels square": partial(jpeg_of_size, 65_535, 65_535),
        "jpeg, 5,000 square and no data": partial(jpeg_of_size, SIDE, SIDE),
        "jpeg, fill bytes": lambda: flat("JPEG", 64)[:2] + b"\xff" * 5_000_000 + flat("JPEG", 64)[2:],
        "jpeg, restarts": jpeg_with_restarts,
        "jpeg, 4:4:4 progressive": lambda: flat("JPEG", SIDE, progressive=True, subsampling=0),
        "jpeg, 4:2:0 progressive": lambda: flat("JPEG", SIDE, progressive=True, subsampling=2),
        "jpeg, plain and flat": lambda: flat("JPEG", SIDE),
        "jpeg, exif whose values overlap": jpeg_with_heavy_exif,
        "jpeg, 12 bits, flat": partial(imagecodecs_flat, "jpeg8", bitspersample=12),
        "jpeg-ls, 16 bits, flat": partial(imagecodecs_flat, "jpegls"),
        "tiff, one deflated tile of 12,288": partial(tiff_with_tile, 12_288, 256),
        "tiff, tile of 65,520": partial(tiff_with_tile, 65_520, 256, real=False),
        "tiff, tiles of a million pixels, one of them shown": tiff_of_padding,
        "tiff, half floats, 32 wide": lambda: tiff_of_half_floats(32, 400_000),
        "tiff, jpeg tiles full of comments": tiff_of_commented_jpegs,
        "tiff, deflate bomb in a strip": tiff_with_bomb,
        "tiff, 25 million strips": partial(tiff_of, SIDE, 25_000_000, {278: 1}, strips=100_000),
        "tiff, strips of one row, all the same bytes": tiff_of_one_strip_again_and_again,
        "tiff, tiles of one pixel": partial(tiff_of, SIDE, SIDE, {322: 1, 323: 1}, strips=100_000),
        "tiff, a million directories": tiff_with_directories,
        "tiff, directories in a circle": tiff_in_a_circle,
        "tiff, 65,535 tags": tiff_with_tags,
        "tiff, tags that share a megabyte": tiff_with_heavy_tags,
        "tiff, a billion strip offsets": partial(tiff_of, 256, 256, {273: (4, 1_000_000_000)}),
        "tiff, 65,535 samples a pixel": partial(tiff_of, 256, 256, {277: 65_535}),
        "tiff, doubles": partial(tiff_of, SIDE, SIDE, {258: 64, 339: 3}),
        "tiff, 4 billion pixels wide": partial(tiff_of, 4_000_000_000, 1, {}),
        "tiff, one flat strip": partial(tiff_flat, SIDE),
        "tiff, floats, predictor, one flat strip": lambda: tiff_of(
            2800, 2800, {258: 32, 339: 3, 317: 3}, data=_deflated(2800 * 2800 * 12)
        ),
        "tiff, predictor, one flat strip": lambda: flat(
            "TIFF", SIDE, compression="tiff_adobe_deflate", tiffinfo={317: 2, 278: SIDE}
        ),
        "tiff, 16 bits, one flat strip": partial(tiff_flat, SIDE, bits=16),
        "tiff, jpeg, flat": lambda: flat("TIFF", SIDE, compression="jpeg"),
        "tiff, jpeg, one flat strip": lambda: flat("TIFF", SIDE, compression="jpeg", tiffinfo={278: SIDE}),
        "tiff, 60 unmarked pages of half its size": tiff_of_many_halves,
        "tiff, lzw, one flat strip": lambda: flat("TIFF", SIDE, compression="tiff_lzw"),
        "tiff, palette, one flat strip": lambda: flat("TIFF", SIDE, mode="P", compression="tiff_deflate"),
        "tiff, jpeg strips of many scans": tiff_with_jpeg_strip,
        "png, 5,000 square, flat": lambda: flat("PNG", SIDE),
        "png, 16 bits, flat": partial(imagecodecs_flat, "png"),
        "png, palette with transparency": lambda: flat("PNG", SIDE, mode="P", transparency=0),
        "png, text that swells": lambda: png_with(
            b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200_000_000))
        ),
        "png, profile that swells": lambda: png_with(b"iCCP", b"icc\0\0" + zlib.compress(bytes(200_000_000))),
        "png, a million empty chunks": lambda: png_with(b"tEXt", b"", times=1_000_000),
        "png, a million empty data chunks": lambda: png_with(b"IDAT", b"", times=1_000_000),
        "png, palette of a megabyte": lambda: png_with(b"PLTE", bytes(3_000_000)),
        "png, data for a million rows": png_with_more_data,
        "png, a second and larger header": png_with_two_headers,
        "png, 700,000 wide with alpha": lambda: png_of_size(
            700_000, 32, colour=6, data=_deflated(32 * (1 + 4 * 700_000))
        ),
        "png, 2 billion pixels wide": lambda: png_of_size(2_000_000_000, 1),
        "png, 100,000 frames": lambda: png_with(b"acTL", struct.pack(">II", 100_000, 0)),
        "bmp, run lengths that stand still": bmp_of_runs,
        "bmp, long runs": lambda: bmp_of_size(
            SIDE,
            SIDE,
            colours=256,
            compression=1,
            data=bytes(range(256)) * 4 + b"\xff\x01" * 98_040 + b"\0\1",
        ),
        "png, with alpha, flat": lambda: flat("PNG", SIDE, mode="RGBA"),
        "bmp, 2 billion pixels wide": partial(bmp_of_size, 2_000_000_000, 1),
        "bmp, colour table of 4 billion": partial(bmp_of_size, 256, 256, colours=0xFFFFFFFF),
        "bmp, 5,000 square and no data": partial(bmp_of_size, SIDE, SIDE),
        "webp, lossless and flat": lambda: flat("WEBP", SIDE, lossless=True, method=0),
        "webp, lossy and flat": lambda: flat("WEBP", SIDE, method=0),
        "webp, a large picture before a small one": webp_of_two,
        "webp, a small frame on a large canvas": webp_on_large_canvas,
        "webp, a million empty chunks": webp_with_chunks,
        "webp, 16,383 square": lambda: webp_of_size(16_383),
    }


def flat(form: str, side: int, *, mode: str = "RGB", **options: object) -> bytes:
    """One colour, `side` pixels square."""
    image = Image.new("RGB", (side, side), (200, 120, 160))
    if mode == "RGBA":
        image.putalpha(200)
    if mode == "P":
        image = Image.new("P", (side, side), 1)
        image.putpalette([0, 0, 0, 200, 120, 160])
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def imagecodecs_flat(codec: str, **options: object) -> bytes:
    import imagecodecs

    samples = np.full((SIDE, SIDE, 3), (3000, 1500, 2500), np.uint16)
    return bytes(getattr(imagecodecs, f"{codec}_encode")(samples, **options))


def jpeg_with_scans(times: int, *, side: int = SIDE, progressive: bool = True) -> bytes:
    data = flat("JPEG", side, progressive=progressive, quality=10)
    first = data.index(b"\xff\xda")
    following = data.find(b"\xff\xc4", first) if progressive else -1
    end = following if following > 0 else len(data) - 2
    scan = data[first:end]
    # The last scan, so that it is one that may refine; a short one, so that the file stays small.
    return data[:first] + scan + (scan[:14] + b"\0" * 24) * times + data[end:]


def jpeg_with_hidden_scans() -> bytes:
    """What follows a segment of no length is a segment to some and its contents to others (libjpeg)."""
    data = flat("JPEG", SIDE, progressive=True, quality=10)
    first = data.index(b"\xff\xda")
    following = data.find(b"\xff\xc4", first)
    scans = (data[first:following][:14] + b"\0" * 10) * 2500
    # The others read on here, over this segment's contents and into those of the next one.
    skipped, room = 0xFFE0 - 4, 0xFFFF - 2
    bridge = b"\xff\xe2" + struct.pack(">H", room - skipped - 4 + 4 + 2)
    outer = _segment(0xE0, (bytes(skipped) + bridge).ljust(room, b"\0"))
    return data[:following] + b"\xff\xe8\0\0" + outer + _segment(0xE0, scans) + data[following:]


def _segment(code: int, payload: bytes) -> bytes:
    return bytes([_MARK, code]) + struct.pack(">H", 2 + len(payload)) + payload


def jpeg_with_segments(segment: bytes, times: int) -> bytes:
    data = flat("JPEG", 64)
    return data[:2] + segment * times + data[2:]


def _huffman_table() -> bytes:
    return b"\xff\xc4" + struct.pack(">HB", 2 + 1 + 16 + 1, 0) + bytes([1] + [0] * 15) + b"\0"


def jpeg_of_size(width: int, height: int) -> bytes:
    data = bytearray(flat("JPEG", 64))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def jpeg_with_restarts() -> bytes:
    data = flat("JPEG", 64)
    at = data.index(b"\xff\xda")
    return data[:at] + b"\xff\xdd\x00\x04\x00\x01" + data[at:-2] + b"\xff\xd0" * 1_000_000 + b"\xff\xd9"


def jpeg_with_heavy_exif() -> bytes:
    entries = 5000
    block = struct.pack("<H", entries) + b"".join(
        struct.pack("<HHII", 1000 + number, 7, 60_000, 8) for number in range(entries)
    )
    exif = (b"II*\0\x08\0\0\0" + block).ljust(65_000, b"\0")
    return flat("JPEG", 256, exif=b"Exif\0\0" + exif)


def tiff_of(
    width: int,
    height: int,
    tags: Tags,
    *,
    strips: int = 1,
    data: bytes = b"\0" * 4096,
    following: int = 0,
) -> bytes:
    """A little-endian TIFF; `tags` are values, or (type, count) of values that stand at the file's data."""
    values: dict[int, tuple[int, int, int]] = {
        256: (4, 1, width),
        257: (4, 1, height),
        258: (3, 1, 8),
        259: (3, 1, 8),
        262: (3, 1, 2),
        277: (3, 1, 3),
        278: (4, 1, height),
    }
    offsets, sizes = (324, 325) if 322 in tags else (273, 279)
    at = 8
    body = data
    if strips == 1:
        values[offsets], values[sizes] = (4, 1, at), (4, 1, len(data))
    else:
        values[offsets] = (4, strips, at + len(body))
        values[sizes] = (4, strips, at + len(body) + 4 * strips)
        body += struct.pack("<I", at) * strips + struct.pack("<I", len(data)) * strips
    for tag, value in tags.items():
        values[tag] = (*value, at) if isinstance(value, tuple) else (4, 1, value)
    directory = at + len(body)
    entries = b"".join(struct.pack("<HHII", tag, *values[tag]) for tag in sorted(values))
    block = struct.pack("<H", len(values)) + entries + struct.pack("<I", following)
    return b"II*\0" + struct.pack("<I", directory) + body + block


def tiff_with_tile(tile: int, side: int, *, real: bool = True) -> bytes:
    squeezed = _deflated(tile * tile * 3) if real else zlib.compress(bytes(100_000))
    return tiff_of(side, side, {322: tile, 323: tile}, data=squeezed)


def tiff_of_padding() -> bytes:
    width, tile = 1500, 1024 * 1024
    squeezed = _deflated(tile * 3)
    return _tiff_of_tiles(width, 32, {322: 1, 323: tile}, [squeezed] * width)


def tiff_of_half_floats(width: int, height: int) -> bytes:
    data = zlib.compress(b"\0\x3c" * (width * height * 4), 9)
    return tiff_of(width, height, {258: 16, 277: 4, 338: 2, 339: 3}, data=data)


def tiff_of_commented_jpegs() -> bytes:
    tile = jpeg_with_segments(b"\xff\xfe\x00\x02", 19_000)
    return _tiff_of_tiles(64 * 200, 64, {259: 7, 262: 6, 322: 64, 323: 64}, [tile] * 200)


def _tiff_of_tiles(width: int, height: int, tags: Tags, tiles: list[bytes]) -> bytes:
    sizes = [len(tile) for tile in tiles]
    offsets = [8 + sum(sizes[:number]) for number in range(len(tiles))]
    data = b"".join(tiles)
    lists = struct.pack(f"<{2 * len(tiles)}I", *offsets, *sizes)
    where = 8 + len(data)
    found = bytearray(tiff_of(width, height, tags, data=data + lists))
    for tag, at in ((324, where), (325, where + 4 * len(tiles))):
        entry = found.index(struct.pack("<HHI", tag, 4, 1), where + len(lists))
        struct.pack_into("<HHII", found, entry, tag, 4, len(tiles), at)
    return bytes(found)


def _deflated(size: int) -> bytes:
    squeeze, zeros = zlib.compressobj(9), bytes(1_000_000)
    parts = [squeeze.compress(zeros[: min(len(zeros), size - at)]) for at in range(0, size, len(zeros))]
    return b"".join([*parts, squeeze.flush()])


def tiff_with_bomb() -> bytes:
    return tiff_of(256, 256, {}, data=_deflated(2_000_000_000))


def tiff_flat(side: int, *, bits: int = 8) -> bytes:
    return tiff_of(side, side, {258: bits}, data=_deflated(side * side * 3 * bits // 8))


def tiff_of_one_strip_again_and_again() -> bytes:
    return tiff_of(SIDE, SIDE, {278: 1, 259: 1}, strips=SIDE, data=bytes(range(250)) * 4000)


def tiff_with_directories() -> bytes:
    data = tiff_of(64, 64, {259: 1, 278: 64}, data=bytes(64 * 64 * 3))
    blocks, at = [], len(data)
    (first,) = struct.unpack_from("<I", data, 4)
    block = data[first:-4]
    for _ in range(100_000):
        at += len(block) + 4
        blocks.append(block + struct.pack("<I", at))
    return data[:-4] + struct.pack("<I", len(data)) + b"".join(blocks)[:-4] + bytes(4)


def tiff_of_many_halves() -> bytes:
    whole = Image.new("RGB", (2000, 2000), (200, 120, 160))
    halves = [whole.resize((1000, 1000))] * 60
    out = io.BytesIO()
    whole.save(out, "TIFF", save_all=True, append_images=halves, compression="tiff_deflate")
    return out.getvalue()


def tiff_in_a_circle() -> bytes:
    data = tiff_of(64, 64, {259: 1, 278: 64}, data=bytes(64 * 64 * 3))
    return data[:-4] + data[4:8]


def tiff_with_tags() -> bytes:
    return tiff_of(256, 256, {1000 + number: 1 for number in range(64_000)})


def tiff_with_heavy_tags() -> bytes:
    heavy: Tags = {1000 + number: (1, 1_000_000) for number in range(900)}
    return tiff_of(64, 64, {259: 1, 278: 64, **heavy}, data=bytes(range(250)) * 4200)


def tiff_with_jpeg_strip() -> bytes:
    return tiff_of(SIDE, SIDE, {259: 7, 262: 6}, data=jpeg_with_scans(20_000))


def _chunk(name: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))


def png_with(name: bytes, payload: bytes, *, times: int = 1) -> bytes:
    """A small PNG with `times` such chunks before its data."""
    data = flat("PNG", 256)
    at = data.index(b"IDAT") - 4
    return data[:at] + _chunk(name, payload) * times + data[at:]


def png_of_size(width: int, height: int, *, colour: int = 2, data: bytes = b"") -> bytes:
    return _png((b"IHDR", _png_header(width, height, colour)), (b"IDAT", data or zlib.compress(bytes(1000))))


def png_with_two_headers() -> bytes:
    return _png(
        (b"IHDR", _png_header(256, 256, 3)),
        (b"IHDR", _png_header(16_000, 16_000, 3)),
        (b"PLTE", bytes(range(9))),
        (b"IDAT", _deflated(16_001 * 16_000)),
    )


def _png_header(width: int, height: int, colour: int) -> bytes:
    return struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)


def _png(*chunks: tuple[bytes, bytes]) -> bytes:
    return b"".join([b"\x89PNG\r\n\x1a\n", *(_chunk(*one) for one in (*chunks, (b"IEND", b"")))])


def png_with_more_data() -> bytes:
    return _png((b"IHDR", _png_header(256, 256, 2)), (b"IDAT", _deflated(1_000_000_000)))


def bmp_of_size(
    width: int, height: int, *, colours: int = 0, compression: int = 0, data: bytes = b""
) -> bytes:
    bits = 8 if colours or compression else 24
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(data), 0, 0, colours, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(data), 0, 0, 54 + 4 * min(colours, 256)) + info + data


def bmp_of_runs() -> bytes:
    return bmp_of_size(SIDE, SIDE, colours=256, compression=1, data=bytes(1024) + b"\0\x02\0\0" * 2_000_000)


def _riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        name + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) % 2)
        for name, payload in chunks
    )
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def webp_with_chunks() -> bytes:
    extended = struct.pack("<I", 0) + (255).to_bytes(3, "little") * 2
    return _riff((b"VP8X", extended), *[(b"junk", b"")] * 1_000_000, (b"VP8 ", flat("WEBP", 256)[20:]))


def webp_of_size(side: int) -> bytes:
    return _riff((b"VP8L", b"\x2f" + struct.pack("<I", (side - 1) | (side - 1) << 14) + bytes(64)))


def webp_of_two() -> bytes:
    large, small = flat("WEBP", 9000, method=0, quality=1), flat("WEBP", 64, lossless=True)
    return _riff((b"VP8 ", large[20:]), (b"VP8L", small[20:]))


def webp_on_large_canvas() -> bytes:
    extended = struct.pack("<I", 2) + (16_382).to_bytes(3, "little") * 2
    frame = bytes(6) + (63).to_bytes(3, "little") * 2 + bytes([100, 0, 0, 0]) + flat("WEBP", 64)[12:]
    return _riff((b"VP8X", extended), (b"ANIM", bytes(6)), (b"ANMF", frame))
