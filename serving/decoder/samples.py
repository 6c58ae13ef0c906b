"""Samples of any depth as the eight bits that a model and a screen take."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.generic]
Scaled = Callable[[Samples], npt.NDArray[np.uint8]]
_DEPTHS = (8, 10, 12, 14, 16, 20, 24, 32)
_BAND = 250_000  # values
_OVERSHOOT = 1 / 8


def to_eight_bits(samples: Samples, *, colours: int = 3, depth: int | None = None, white: int = 0) -> Scaled:
    """A function that scales rows of `samples` [height, width, channels] to 0 to 255.

    Cameras of 10, 12 or 14 bits write their values into 16 unscaled, and few say so. Where the format does
    not tell the `depth` in bits, it is the smallest of 8, 10, 12, 14, 16 that holds the largest value and
    `white`, a largest value that the file claims: a bright-field picture has a background near the top. A
    picture of 16 true bits of which none is above a sixteenth of white would come out too bright, not black.
    Values up to an eighth above a depth's largest are overshoot: flat fields and resampling leave some.
    Channels beyond the first `colours`, that is transparency, are judged apart.

    Floating point is taken as 0 to 1 where nothing is above 1.5, for resampling overshoots; else like whole
    numbers. What is not a number counts as 0.
    """
    if samples.dtype == np.uint8 and depth in (None, 8):
        return lambda rows: rows.astype(np.uint8, copy=False)
    tops = [_top(samples[..., :colours], depth, white)] * min(colours, samples.shape[2])
    if samples.shape[2] > colours:
        tops += [_top(samples[..., colours:], depth, 0)] * (samples.shape[2] - colours)
    factors = (255 / np.array(tops)).astype(np.float32)
    return lambda rows: _scaled(rows, factors)


def _top(samples: Samples, depth: int | None, white: int) -> float:
    highest = _highest(samples)
    if samples.dtype.kind == "f" and highest <= 1.5:
        return 1.0
    wanted = max(highest / (1 + _OVERSHOOT), float(white))
    if depth is None or highest > 2**depth - 1:
        most = 64 if samples.dtype.kind == "f" else 8 * samples.dtype.itemsize - (samples.dtype.kind == "i")
        depth = next((bits for bits in _DEPTHS if bits < most and wanted <= 2**bits - 1), most)
    return float(2**depth - 1)


def _highest(samples: Samples) -> float:
    if samples.dtype.kind != "f":
        return float(samples.max())
    # By bands: a mask of the whole would cost as much memory again.
    step = max(1, _BAND // (samples.shape[1] * samples.shape[2]))
    bands = (samples[top : top + step] for top in range(0, len(samples), step))
    return max((float(band[np.isfinite(band)].max(initial=0)) for band in bands), default=0.0)


def _scaled(rows: Samples, factors: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    values = rows.astype(np.float32)
    np.nan_to_num(values, copy=False, nan=0)
    values *= factors
    values += np.float32(0.5)
    np.clip(values, 0, 255, out=values)
    return values.astype(np.uint8)
