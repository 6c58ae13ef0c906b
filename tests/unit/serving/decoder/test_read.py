import io

import numpy as np
import pytest
from PIL import ExifTags, Image

from serving.decoder.read import read
from serving.decoder.refused import FileRefused, Reason
from tests.support.present import present
from webapp.cases.refusals import Refusal

MAX_PIXELS = 25_000_000
SIZE = 224


def picture(width=300, height=260, mode="RGB"):
    """A stained-looking gradient whose corners differ, so that turns can be told."""
    ramp = np.linspace(60, 220, width)[None, :] * np.ones((height, 1))
    rgb = np.stack([ramp, ramp[:, ::-1] * 0.6, np.full_like(ramp, 190)], axis=2).astype(np.uint8)
    rgb[: height // 3, : width // 3] = (120, 20, 130)
    return Image.fromarray(rgb).convert(mode)


def encoded(image, form="JPEG", **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def refusal_of(data):
    with pytest.raises(FileRefused) as caught:
        read(data, size=SIZE, max_pixels=MAX_PIXELS)
    assert len(str(caught.value.detail)) < 300  # what a row holds
    return caught.value.reason


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "BMP", "WEBP"])
def test_each_format_is_read(form):
    found = read(encoded(picture(), form), size=SIZE, max_pixels=MAX_PIXELS)
    assert found.pixels.shape == (SIZE, SIZE, 3)
    assert found.pixels.dtype == np.uint8
    assert (found.width, found.height) == (300, 260)
    assert (found.display is not None) == (form == "TIFF")


def test_empty():
    assert refusal_of(b"") == Reason.EMPTY


def test_text_named_jpg():
    assert refusal_of(b"Hello, I am a JPEG, honestly.") == Reason.NOT_AN_IMAGE


def test_each_reason_has_its_sentence():
    assert {Refusal(reason).label for reason in Reason}
    assert all(len(str(Refusal(reason).label)) > 30 for reason in Reason)


@pytest.mark.parametrize(
    ("start", "named"),
    [
        (b"GIF89a", "a GIF"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 image"),
        (b"\0\0\0\x18ftypheic", "a HEIC image"),
        (b"\0\0\0\x1cftypavif", "an AVIF image"),
        (b"\0\0\0\x18ftypmp42", "a video"),
        (b"\0" * 128 + b"DICM", "a DICOM file"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"ZISRAWFILE", "a Zeiss CZI file"),
        (b"II*\0\x10\0\0\0CR\x02\0", "a camera's raw file"),
        (b"<?xml version='1.0'?><svg width='3'>", "an SVG drawing"),
        (b"<!DOCTYPE html><p>", "a web page"),
        (b"8BPS\0\x01", "a Photoshop file"),
        (b"RIFF\0\0\0\0AVI LIST", "a video"),
    ],
)
def test_other_kinds_are_named(start, named):
    with pytest.raises(FileRefused, match=named) as caught:
        read(start + b"\0\1" * 600, size=SIZE, max_pixels=MAX_PIXELS)
    assert caught.value.reason == Reason.UNSUPPORTED_TYPE


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "BMP", "WEBP"])
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.95])
def test_cut_short(form, kept):
    data = encoded(picture(), form)
    assert refusal_of(data[: int(len(data) * kept)]) == Reason.DAMAGED


def test_too_many_pixels_is_told_from_the_header_alone():
    header = encoded(Image.new("1", (30_000, 30_000)), "PNG")[:100]
    assert refusal_of(header) == Reason.TOO_MANY_PIXELS


def test_too_small():
    assert refusal_of(encoded(picture(31, 200))) == Reason.TOO_SMALL


@pytest.mark.parametrize("mode", ["L", "1", "LA", "I;16"])
def test_without_colour(mode):
    image = (
        Image.fromarray(np.asarray(picture(mode="L")).astype(np.uint16) * 256)
        if mode == "I;16"
        else picture(mode=mode)
    )
    assert refusal_of(encoded(image, "PNG")) == Reason.NO_COLOUR


def test_grey_saved_as_a_colour_jpeg_has_no_colour():
    assert refusal_of(encoded(picture(mode="L").convert("RGB"))) == Reason.NO_COLOUR


def test_cmyk_is_taken_and_shown_by_a_copy():
    found = read(encoded(picture(mode="CMYK")), size=SIZE, max_pixels=MAX_PIXELS)
    assert found.display is not None
    assert (
        np.abs(
            found.pixels.astype(int) - read(encoded(picture()), size=SIZE, max_pixels=MAX_PIXELS).pixels
        ).mean()
        < 8
    )


def test_palette_with_alpha_lies_on_white():
    image = picture(mode="RGBA")
    image.putalpha(Image.new("L", image.size, 0))
    image.paste((200, 30, 60, 255), (100, 80, 200, 180))
    found = read(
        encoded(image.quantize(16, method=Image.Quantize.FASTOCTREE), "PNG"), size=SIZE, max_pixels=MAX_PIXELS
    )
    assert found.pixels[2, 2].min() > 240
    assert found.pixels[112, 112, 0] > 150
    assert found.pixels[112, 112, 1] < 90


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_exif_rotation_is_undone(form):
    upright = picture()
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # stored lying; to be turned 90° clockwise to be seen
    found = read(
        encoded(upright.transpose(Image.Transpose.ROTATE_90), form, exif=exif),
        size=SIZE,
        max_pixels=MAX_PIXELS,
    )
    assert (found.width, found.height) == (300, 260)
    straight = read(encoded(upright, form), size=SIZE, max_pixels=MAX_PIXELS)
    assert np.abs(found.pixels.astype(int) - straight.pixels).mean() < 6
    assert (found.display is not None) == (form != "JPEG")  # browsers turn JPEG themselves


@pytest.mark.parametrize("form", ["WEBP", "PNG", "TIFF"])
def test_several_pictures_are_refused(form):
    frames = [picture(), picture().rotate(90), picture().rotate(180)]
    data = encoded(frames[0], form, save_all=True, append_images=frames[1:])
    assert refusal_of(data) == Reason.SEVERAL_PICTURES


def test_a_tiff_of_many_pages_cut_anywhere_is_refused_not_an_error():
    frames = [picture(64, 64), picture(64, 64).rotate(90), picture(64, 64).rotate(180)]
    data = encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    for kept in range(8, len(data), 97):
        with pytest.raises(FileRefused):
            read(data[:kept], size=SIZE, max_pixels=MAX_PIXELS)


def test_too_little_memory_is_not_the_files_fault(monkeypatch):
    def no_memory(image, size):
        raise MemoryError

    monkeypatch.setattr("serving.decoder.read.to_model_input", no_memory)
    with pytest.raises(MemoryError):
        read(encoded(picture()), size=SIZE, max_pixels=MAX_PIXELS)


def test_a_phones_photograph_with_its_preview_is_one_picture():
    data = encoded(picture(), "MPO", save_all=True, append_images=[picture(80, 60)])
    assert read(data, size=SIZE, max_pixels=MAX_PIXELS).width == 300


def test_the_display_copy_carries_no_metadata():
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "Jane Doe"
    found = read(encoded(picture(), "TIFF", exif=exif), size=SIZE, max_pixels=MAX_PIXELS)
    display = present(found.display)
    assert b"Jane" not in display
    assert Image.open(io.BytesIO(display)).size == (300, 260)
