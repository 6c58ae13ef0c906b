"""From a decoded picture to the model's input: the same function in training, evaluation and production."""

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps

_SIXTEEN_BIT_MODES = {"I", "I;16", "I;16L", "I;16B", "I;16N"}


def to_model_input(image: Image.Image, size: int) -> npt.NDArray[np.uint8]:
    """Return `image` as a model of input size `size` sees it: uint8 [size, size, 3], RGB 0-255.

    Upright by its EXIF orientation, in RGB, cut to the largest centred square, and resized with an
    antialiased bicubic filter. Transparent pixels become white, the background of a bright-field slide;
    16-bit grey keeps its eight high bits. The argument is not changed.

    Raises ValueError for a pixel format that has no meaning as a picture (floating point, CIELAB), and
    whatever Pillow raises while it decodes a lazily opened file.
    """
    turned = image.getexif().get(ExifTags.Base.Orientation, 1) != 1
    rgb = _to_rgb(ImageOps.exif_transpose(image) if turned else image)
    side = min(rgb.size)
    left, top = (rgb.width - side) // 2, (rgb.height - side) // 2
    # Cropped first: resize(box=...) lets pixels from outside the box into its edge.
    square = rgb.crop((left, top, left + side, top + side))
    return np.asarray(square.resize((size, size), Image.Resampling.BICUBIC), dtype=np.uint8)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode in _SIXTEEN_BIT_MODES:
        # Pillow's own conversion saturates at 255, which turns the whole picture white.
        high_bits = np.clip(np.asarray(image).astype(np.int64), 0, 0xFFFF) >> 8
        return Image.fromarray(high_bits.astype(np.uint8)).convert("RGB")
    if image.mode in {"F", "LAB"}:
        raise ValueError(
            f"an image in {image.mode!r} pixel format cannot be shown as RGB; save it as 8-bit RGB or grey"
        )
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")
