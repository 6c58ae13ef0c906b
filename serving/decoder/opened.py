"""Opening with Pillow, one format at a time."""

import io

from PIL import Image

from serving.decoder.refused import FileRefused, Reason

# Pillow's own bound on pixels is a constant of the module; ours is checked before.
Image.MAX_IMAGE_PIXELS = None


def opened(data: bytes, form: str, size: tuple[int, int] | None = None) -> Image.Image:
    """The picture, not yet decoded.

    Args:
        size: the width and height that were judged, where the caller has read them itself.

    Raises:
        FileRefused: its headers are broken, or say another size.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=[form])
    except MemoryError:
        raise
    except Exception as error:  # broken headers make Pillow's parsers raise many kinds
        raise FileRefused(Reason.DAMAGED) from error
    if size is not None and image.size != size:
        raise FileRefused(Reason.DAMAGED)
    return image
