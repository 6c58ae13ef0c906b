"""Class evidence maps as pictures (class activation mapping, Zhou et al. 2016).

The maps are the model's own arithmetic: a class's score is the mean of its map plus a constant, so what is
drawn is the reason, not an approximation of it.
"""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 224  # pixels of what is drawn; pages lay it over a tile, whatever the model's input size was
RED = (220, 30, 30)


def evidence_maps(evidence: bytes, rows: int, classes: int) -> npt.NDArray[np.float32]:
    """Every class's map, float32 [rows, w, classes] in logits, out of what `Prediction` keeps."""
    return np.frombuffer(evidence, dtype="<f2").reshape(rows, -1, classes).astype(np.float32)


def overlay_png(maps: npt.NDArray[np.float32], class_index: int) -> bytes:
    """A transparent RGBA PNG, 224×224, red where the evidence [h, w, K] is *for* the class.

    Evidence against it stays clear. The strongest red is the strongest evidence for any class of this cell,
    so that what little speaks for an improbable class looks little.
    """
    strength = np.clip(maps[..., class_index] / max(float(maps.max()), 1e-6), 0, 1)
    alpha = Image.fromarray((strength * 170).astype(np.uint8)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    picture = Image.new("RGB", (SIDE, SIDE), RED)
    picture.putalpha(alpha)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
