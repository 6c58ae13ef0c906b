"""From uploaded bytes to a `Picture`, or to a clear refusal."""

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image

from serving.contract import to_model_input
from serving.decoder import bmp, jpeg, kinds, png, tiff, webp
from serving.decoder.limits import Limits
from serving.decoder.picture import Picture
from serving.decoder.refused import FileRefused, Reason
from serving.decoder.source import Opened, Source, upright_rgb

GREY_TOLERANCE = 6  # levels of 255 between channels that compression alone explains

_DECODERS: dict[str, Callable[[bytes, Limits], Source]] = {
    kinds.JPEG: jpeg.decode,
    kinds.PNG: png.decode,
    kinds.TIFF: tiff.decode,
    kinds.BMP: bmp.decode,
    kinds.WEBP: webp.decode,
}


def read(data: bytes, *, size: int, max_pixels: int) -> Picture:
    """Decode an uploaded file completely, for a model of input size `size`.

    The content decides, not the name. Truncated files are refused, for half a cell is a wrong count; so are
    animations and multi-page files, whose other pictures would go missing from the count.

    Raises:
        FileRefused: the file cannot be used.
        MemoryError: it needs more than this process may have.
    """
    if not data:
        raise FileRefused(Reason.EMPTY)
    decode = _DECODERS[kinds.kind_of(data)]
    try:
        source = decode(data, Limits(max_pixels))
        image, was_transparent = upright_rgb(source)
        source = replace(source, pixels=Opened(image))  # the large one may go
    except (FileRefused, MemoryError):
        raise
    except Exception as error:  # broken files make codecs raise many kinds
        raise FileRefused(Reason.DAMAGED) from error
    pixels = to_model_input(image, size)
    # Every eighth pixel tells colour from grey, at a sixty-fourth of the cost.
    if np.ptp(pixels[::8, ::8].astype(np.int16), axis=2).max() <= GREY_TOLERANCE:
        raise FileRefused(Reason.NO_COLOUR)
    width, height = source.width, source.height
    if source.orientation >= 5:  # these lie on their side
        width, height = height, width
    display = None if source.shown and not was_transparent else _png(image)
    return Picture(pixels, width, height, source.media_type, display)


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=3)
    return out.getvalue()
