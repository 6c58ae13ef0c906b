"""Pictures for reports, small enough to lie inside the page."""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_erosion

from training.evaluation.measures import Floats, Mask

SIDE = 160
EVIDENCE_COLOUR = (230, 97, 0)  # in the stain's palette nothing is orange
OUTLINE_COLOUR = (0, 60, 120)
STRONGEST = 0.6  # opacity


def data_uri(picture: NDArray[np.uint8]) -> str:
    """A picture uint8 [S,S,3] as the source of an <img>: JPEG of SIDE pixels."""
    buffer = io.BytesIO()
    image = Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    image.save(buffer, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def with_evidence(picture: NDArray[np.uint8], evidence: Floats, cell: Mask) -> NDArray[np.uint8]:
    """The picture uint8 [S,S,3] under its positive evidence [h,w], and the outline of the cell bool [S,S]."""
    positive = np.maximum(evidence, 0)
    strength = Image.fromarray((positive / positive.max()).astype(np.float32))
    opacity = np.asarray(strength.resize(cell.shape, Image.Resampling.BILINEAR)) * STRONGEST
    drawn = picture * (1 - opacity[..., None]) + np.array(EVIDENCE_COLOUR) * opacity[..., None]
    drawn[cell & ~binary_erosion(cell, iterations=2)] = OUTLINE_COLOUR
    return drawn.astype(np.uint8)
