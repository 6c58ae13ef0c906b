"""Class evidence maps as pictures (class activation mapping, Zhou et al. 2016).

The maps are the model's own arithmetic: a class's score is the mean of its map plus a constant, so what is
drawn is the reason, not an approximation of it.
"""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 224
RED = (220, 30, 30)


def evidence_map(evidence: bytes, grid: int, class_index: int) -> npt.NDArray[np.float32]:
    """One class's map, float32 [grid, grid] in logits, out of the stored float16 [grid, grid, K]."""
    maps = np.frombuffer(evidence, dtype="<f2").reshape(grid, grid, -1)
    return maps[..., class_index].astype(np.float32)


def overlay_png(weights: npt.NDArray[np.float32]) -> bytes:
    """A transparent RGBA PNG, 224×224, red where the evidence is *for* the class.

    Evidence against it stays clear.
    """
    positive = np.clip(weights, 0, None)
    strength = positive / positive.max() if positive.max() > 0 else positive
    alpha = Image.fromarray((strength * 170).astype(np.uint8)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    picture = Image.new("RGB", (SIDE, SIDE), RED)
    picture.putalpha(alpha)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
