"""From uploaded bytes to pixels, or to a clear refusal. Pure: no database, no network."""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps

from serving.contract import to_model_input
from webapp.cases.refusals import Refusal

FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP")
MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", b"BM", b"RIFF")
LEAST_SIDE = 32  # pixels
GREY_TOLERANCE = 6  # levels of 255 between channels that compression alone explains

# Pillow's own bound on pixels is a constant of the module; ours is a setting, checked before decoding.
Image.MAX_IMAGE_PIXELS = None


class CannotTake(Exception):
    """The file is refused; `refusal` and `detail` say why."""

    def __init__(self, refusal: Refusal, detail: str = "") -> None:
        self.refusal = refusal
        self.detail = detail or str(refusal.label)
        super().__init__(self.detail)


@dataclass(frozen=True)
class Picture:
    """A picture that can be classified.

    `pixels` is the model's input, uint8 [224, 224, 3]; `width` and `height` are the upright original's, in
    pixels; `display` is a PNG without metadata where browsers would not show the original as it was read,
    else None.
    """

    pixels: npt.NDArray[np.uint8]
    width: int
    height: int
    display: bytes | None


def read(data: bytes, *, max_pixels: int) -> Picture:
    """Decode an uploaded file completely.

    The content decides, not the name. Truncated files are refused, for half a cell is a wrong count; so are
    animations and multi-page files, whose other pictures would go missing from the count.

    Raises:
        CannotTake: the file cannot be used.
    """
    if not data:
        raise CannotTake(Refusal.EMPTY)
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Exception as error:  # broken headers make Pillow's parsers raise many kinds
        known = data.startswith(MAGIC)
        raise CannotTake(Refusal.DAMAGED if known else Refusal.NOT_AN_IMAGE) from error
    _check_header(image, max_pixels)
    try:
        image.load()
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        pixels = to_model_input(image)
        display = _display_copy(image, orientation)
    except Exception as error:
        raise CannotTake(Refusal.DAMAGED) from error
    # Every eighth pixel tells colour from grey, at a sixty-fourth of the cost.
    if np.ptp(pixels[::8, ::8].astype(np.int16), axis=2).max() <= GREY_TOLERANCE:
        raise CannotTake(Refusal.NO_COLOUR)
    width, height = image.size if orientation < 5 else image.size[::-1]  # 5 to 8 lie on their side
    return Picture(pixels, width, height, display)


def _check_header(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise CannotTake(
            Refusal.TOO_MANY_PIXELS,
            f"The image is {width}×{height} pixels; this server takes up to "
            f"{max_pixels / 1e6:.0f} megapixels. Crop it to the cell.",
        )
    if min(width, height) < LEAST_SIDE:
        raise CannotTake(
            Refusal.TOO_SMALL,
            f"The image is {width}×{height} pixels; at least {LEAST_SIDE}×{LEAST_SIDE} are needed to show a "
            "cell.",
        )
    # A phone's MPO is one photograph with its preview or depth map behind it: the first picture is all of it.
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":
        raise CannotTake(
            Refusal.SEVERAL_PICTURES, f"The file holds {frames} pictures. Upload each as a file of its own."
        )


def _display_copy(image: Image.Image, orientation: int) -> bytes | None:
    # Browsers turn a JPEG upright themselves.
    turned = orientation != 1 and image.format not in ("JPEG", "MPO")
    if image.format != "TIFF" and image.mode != "CMYK" and not turned:
        return None
    out = io.BytesIO()
    upright = ImageOps.exif_transpose(image)
    # A fresh image, so that no metadata of the original is written.
    copy = Image.new("RGB", upright.size, "white")
    copy.paste(upright.convert("RGBA") if upright.has_transparency_data else upright.convert("RGB"))
    copy.save(out, "PNG")
    return out.getvalue()
