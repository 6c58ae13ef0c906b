"""What decoding gives."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Picture:
    """A picture that can be classified.

    `pixels` is the model's input, uint8 [S, S, 3]; `width` and `height` are the upright original's, in
    pixels; `media_type` is what the original is; `display` is a PNG without metadata, of at most 4 million
    pixels, where browsers would not show the original as it was read, else None.
    """

    pixels: npt.NDArray[np.uint8]
    width: int
    height: int
    media_type: str
    display: bytes | None
