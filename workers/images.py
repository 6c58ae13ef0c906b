"""From uploaded bytes to pixels, or to a clear refusal. Pure: no database, no network."""

import io
from contextlib import nullcontext
from dataclasses import dataclass
from threading import Lock

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps

from serving.contract import to_model_input
from webapp.cases.refusals import Refusal

FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP")
MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", b"BM", b"RIFF")
LEAST_SIDE = 32  # pixels
LARGE = 4_000_000  # pixels; decoding such an image takes hundreds of megabytes
GREY_TOLERANCE = 6  # levels of 255 between channels that compression alone explains

# Pillow's own bound on pixels is a constant of the module; ours is a setting, checked before decoding.
Image.MAX_IMAGE_PIXELS = None

_ONE_LARGE_AT_A_TIME = Lock()


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
        MemoryError: this machine has not enough; nothing is wrong with the file.
    """
    if not data:
        raise CannotTake(Refusal.EMPTY)
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Exception as error:  # broken headers make Pillow's parsers raise many kinds
        known = data.startswith(MAGIC)
        raise CannotTake(Refusal.DAMAGED if known else Refusal.NOT_AN_IMAGE) from error
    _check_size(image.width, image.height, max_pixels)
    try:
        if _holds_another(image):
            raise CannotTake(Refusal.SEVERAL_PICTURES)
        with _ONE_LARGE_AT_A_TIME if image.width * image.height > LARGE else nullcontext():
            image.load()
            orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
            pixels = to_model_input(image)
            display = _display_copy(image, orientation)
    except (CannotTake, MemoryError):
        raise
    except Exception as error:
        raise CannotTake(Refusal.DAMAGED) from error
    # Every eighth pixel tells colour from grey, at a sixty-fourth of the cost.
    if np.ptp(pixels[::8, ::8].astype(np.int16), axis=2).max() <= GREY_TOLERANCE:
        raise CannotTake(Refusal.NO_COLOUR)
    width, height = image.size if orientation < 5 else image.size[::-1]  # 5 to 8 lie on their side
    return Picture(pixels, width, height, display)


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise CannotTake(
            Refusal.TOO_MANY_PIXELS,
            f"The image is {width}×{height} pixels; this server takes up to {max_pixels / 1e6:.0f} "
            "megapixels. Crop it to the cell.",
        )
    if min(width, height) < LEAST_SIDE:
        raise CannotTake(
            Refusal.TOO_SMALL,
            f"The image is {width}×{height} pixels; at least {LEAST_SIDE}×{LEAST_SIDE} are needed "
            "to show a cell.",
        )


def _holds_another(image: Image.Image) -> bool:
    """Whether a second picture follows. Never counts them all: a TIFF can pretend to have a million."""
    # A phone's MPO is one photograph with its own preview or depth map behind it: the first is all of it.
    if image.format == "MPO":
        return False
    try:
        image.seek(1)
    except EOFError:
        return False
    return True


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
