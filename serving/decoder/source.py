"""A picture that was decoded, whatever holds its pixels, and how it becomes a small upright RGB one.

Large pictures are converted band by band and shrunk at once: a second copy of 25 megapixels is never made.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from serving.decoder.limits import LARGE
from serving.decoder.samples import Samples, Scaled

_BAND = 160_000  # pixels
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Pixels(Protocol):
    """Rows of a decoded picture; `size` is its width and height in pixels."""

    @property
    def size(self) -> tuple[int, int]: ...

    def rows(self, top: int, bottom: int) -> Image.Image:
        """Those rows in any mode that Pillow converts to RGB or RGBA."""


@dataclass(frozen=True)
class Opened:
    """Pixels in Pillow's hands."""

    image: Image.Image

    @property
    def size(self) -> tuple[int, int]:
        return self.image.size

    def rows(self, top: int, bottom: int) -> Image.Image:
        if bottom - top == self.image.height:
            return self.image
        return self.image.crop((0, top, self.image.width, bottom))


@dataclass(frozen=True)
class Array:
    """Samples [height, width, channels], and how they become Pillow's `mode` in eight bits each."""

    samples: Samples
    scaled: Scaled
    mode: str

    @property
    def size(self) -> tuple[int, int]:
        return self.samples.shape[1], self.samples.shape[0]

    def rows(self, top: int, bottom: int) -> Image.Image:
        band = np.ascontiguousarray(self.scaled(self.samples[top:bottom]))
        if self.mode == "L":
            return Image.fromarray(band[..., 0])
        return from_bytes(band, self.mode)


def from_bytes(band: npt.NDArray[np.uint8], mode: str) -> Image.Image:
    """uint8 [height, width, channels] as a picture of a mode that `Image.fromarray` would not guess."""
    return Image.frombuffer(mode, (band.shape[1], band.shape[0]), band.tobytes(), "raw", mode, 0, 1)


@dataclass(frozen=True)
class Source:
    """A decoded picture.

    `width` and `height` are those that the file states, before it is turned upright by `orientation` (EXIF,
    1 to 8); `shown` says whether browsers show the file itself as it was read here.
    """

    pixels: Pixels
    width: int
    height: int
    media_type: str
    shown: bool
    orientation: int = 1


def upright_rgb(source: Source) -> tuple[Image.Image, bool]:
    """The picture in RGB and upright, shrunk by a whole number where it is LARGE.

    Transparent pixels become white, the background of a bright-field slide. Where every pixel is fully
    transparent, transparency is ignored: some cameras' software leaves that channel at 0, and nobody sends a
    picture that is meant not to be seen. Also returns whether any was transparent: browsers show such on
    whatever lies behind.
    """
    pixels = source.pixels
    width, height = pixels.size
    factor = max(1, ceil(sqrt(width * height / LARGE)))
    lowest, highest = _opacity(pixels, factor)
    ignored = highest == 0
    small = _flat(pixels.rows(0, height), ignored) if factor == 1 else _shrunk(pixels, factor, ignored)
    turn = _UPRIGHT.get(source.orientation)
    return (small.transpose(turn) if turn is not None else small), lowest < 255


def _shrunk(pixels: Pixels, factor: int, ignored: bool) -> Image.Image:
    width, height = pixels.size
    small = Image.new("RGB", (ceil(width / factor), ceil(height / factor)))
    top = 0
    for band in _bands(pixels, factor):
        reduced = _flat(band, ignored).reduce(factor)
        small.paste(reduced, (0, top))
        top += reduced.height
    return small


def _bands(pixels: Pixels, factor: int) -> Iterator[Image.Image]:
    width, height = pixels.size
    # A very wide picture is no reason for large bands, nor a very tall one for many.
    step = height if factor == 1 else max(1, _BAND // (width * factor)) * factor
    for top in range(0, height, step):
        yield pixels.rows(top, min(top + step, height))


def _opacity(pixels: Pixels, factor: int) -> tuple[int, int]:
    """The lowest and the highest, 0 to 255; of some of the rows where these tell enough."""
    lowest, highest = 255, 0
    for band in _bands(pixels, factor):
        if not band.has_transparency_data:
            return 255, 255
        rgba = band if band.mode == "RGBA" else band.convert("RGBA")
        opacity = np.asarray(rgba.getchannel("A"))
        lowest, highest = min(lowest, int(opacity.min())), max(highest, int(opacity.max()))
        if lowest < 255 and highest > 0:
            break
    return lowest, highest


def _flat(band: Image.Image, ignored: bool) -> Image.Image:
    if not band.has_transparency_data:
        return band if band.mode == "RGB" else band.convert("RGB")
    rgba = band if band.mode == "RGBA" else band.convert("RGBA")
    if ignored:
        return rgba.convert("RGB")
    white = Image.new("RGBA", rgba.size, "white")
    return Image.alpha_composite(white, rgba).convert("RGB")
