"""Drawing with stains: shapes as distance fields, colours as light absorbed (Beer-Lambert).

A shape is a field of distances in pixels, positive inside, so that shapes join, shift and roughen by
arithmetic. A stain lets through a share of the light in each of red, green and blue; stains that lie over one
another multiply, as two red cells that overlap do under the microscope.

Every field is float [363, 360]: rows, columns.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Field: TypeAlias = NDArray[np.float64]
Window: TypeAlias = tuple[slice, slice]
Colour: TypeAlias = tuple[float, float, float]

WIDTH, HEIGHT = 360, 363
CENTRE = (WIDTH / 2, HEIGHT / 2)
_REFERENCE = np.array((253.0, 228.0, 203.0))  # the light under which stains have the colours they are given
WHOLE: Window = (slice(None), slice(None))
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)


def texture(rng: np.random.Generator, grain: float) -> Field:
    """Smooth random field of zero mean and unit variance, whose blobs are about `grain` pixels wide."""
    shape = (int(WIDTH / grain) + 3, int(HEIGHT / grain) + 3)
    coarse = Image.fromarray(rng.standard_normal(shape[::-1]).astype(np.float32))
    margin = int(grain)
    grown = coarse.resize((WIDTH + 2 * margin, HEIGHT + 2 * margin), Image.Resampling.BICUBIC)
    field = np.asarray(grown, dtype=np.float64)[margin:-margin, margin:-margin]
    normal: Field = (field - field.mean()) / field.std()
    return normal


def blob(
    rng: np.random.Generator,
    centre: tuple[float, float],
    radius: float,
    *,
    uneven: float = 0.03,
    stretch: float = 1.0,
    waves: int = 6,
    window: Window = WHOLE,
) -> Field:
    """A rounded shape: a circle of `radius` stretched along a random axis, its outline waving by `uneven`."""
    turn = rng.uniform(0, np.pi)
    dx, dy = X[window] - centre[0], Y[window] - centre[1]
    u = (dx * np.cos(turn) + dy * np.sin(turn)) / np.sqrt(stretch)
    v = (dy * np.cos(turn) - dx * np.sin(turn)) * np.sqrt(stretch)
    angle = np.arctan2(v, u)
    outline = np.ones_like(angle)
    for wave in range(2, waves + 1):
        outline += uneven * rng.normal() / (wave - 1) * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
    distance: Field = radius * outline - np.hypot(u, v)
    return distance


def around(centre: tuple[float, float], reach: float) -> Window:
    """The window of pixels within `reach` of a centre, cut off at the borders."""
    (x, y), r = centre, int(np.ceil(reach))
    return (
        slice(max(int(y) - r, 0), max(int(y) + r + 1, 0)),
        slice(max(int(x) - r, 0), max(int(x) + r + 1, 0)),
    )


def ribbon(points: list[tuple[float, float]], widths: list[float]) -> Field:
    """A band along a line of points, whose half-width goes from one of `widths` to the next."""
    best: Field = np.full_like(X, -np.inf)
    for (x0, y0), (x1, y1), w0, w1 in zip(points, points[1:], widths, widths[1:], strict=False):
        along = np.array([x1 - x0, y1 - y0])
        length2 = max(float(along @ along), 1e-9)
        t = np.clip(((X - x0) * along[0] + (Y - y0) * along[1]) / length2, 0, 1)
        away = np.hypot(X - x0 - t * along[0], Y - y0 - t * along[1])
        best = np.maximum(best, w0 + t * (w1 - w0) - away)
    return best


def join(*shapes: Field, soft: float = 4.0) -> Field:
    """Union of shapes, its corners rounded over about `soft` pixels."""
    stacked = np.stack(shapes) / soft
    peak = stacked.max(axis=0)
    return np.asarray(soft * (peak + np.log(np.exp(stacked - peak).sum(axis=0))), dtype=np.float64)


def cover(shape: Field, soft: float = 1.0) -> Field:
    """How much of each pixel a shape covers, 0 to 1, its edge `soft` pixels wide each way."""
    return np.clip(0.5 + shape / (2 * soft), 0, 1)


def speckle(
    rng: np.random.Generator, where: Field, count: int, radius: tuple[float, float], soft: float = 0.8
) -> Field:
    """Round grains scattered over a shape: 0 to 1 in each pixel; `radius` in pixels, from and to."""
    grains = np.zeros_like(where)
    rows, columns = np.nonzero(where > 0)
    if not len(rows):
        return grains
    for index in rng.integers(len(rows), size=count):
        r = rng.uniform(*radius)
        x, y = columns[index] + rng.uniform(-0.5, 0.5), rows[index] + rng.uniform(-0.5, 0.5)
        patch = around((x, y), r + soft + 1)
        away = np.hypot(X[patch] - x, Y[patch] - y)
        grains[patch] = np.maximum(grains[patch], cover(r - away, soft) * rng.uniform(0.6, 1.0))
    return grains


class Slide:
    """A bright field on which stains absorb light.

    Args:
        light: colour of the empty field, 0 to 255.
    """

    def __init__(self, light: Colour) -> None:
        self._light = np.array(light)
        self._absorbed = np.zeros((HEIGHT, WIDTH, 3))

    def add(self, amount: Field, colour: Colour, window: Window = WHOLE) -> None:
        """Lay a stain over what is there; an `amount` of 1 gives `colour` in yellowish light."""
        self._absorbed[window] += amount[..., None] * self._density(colour)

    def paint(self, share: Field, colour: Colour, depth: Field | float = 1.0) -> None:
        """Put a stain in the place of what is there, where `share` is 1; `depth` scales its absorption."""
        density = np.broadcast_to(np.asarray(depth)[..., None], (HEIGHT, WIDTH, 1)) * self._density(colour)
        self._absorbed += share[..., None] * (density - self._absorbed)

    def clear(self, share: Field) -> None:
        """Take away what is there, where `share` is 1."""
        self._absorbed *= 1 - share[..., None]

    def photograph(self, rng: np.random.Generator, *, blur: float, noise: float = 1.2) -> Image.Image:
        """The slide through the microscope: uneven light, optics `blur` pixels wide, a camera's noise."""
        slope = rng.normal(0, 0.012, 2)
        lamp = 1 + slope[0] * (X / WIDTH - 0.5) + slope[1] * (Y / HEIGHT - 0.5)
        seen = self._light * np.exp(-self._absorbed) * lamp[..., None]
        picture = Image.fromarray(np.clip(seen, 0, 255).astype(np.uint8))
        picture = picture.filter(ImageFilter.GaussianBlur(blur)).filter(ImageFilter.UnsharpMask(1.5, 50, 0))
        soft = np.asarray(picture, dtype=np.float64)
        grain = rng.normal(0, noise, (HEIGHT, WIDTH, 1)) + rng.normal(0, noise / 2, (HEIGHT, WIDTH, 3))
        return Image.fromarray(np.clip(soft + grain + 0.5, 0, 255).astype(np.uint8))

    def _density(self, colour: Colour) -> NDArray[np.float64]:
        density: NDArray[np.float64] = np.maximum(np.log(_REFERENCE / np.array(colour)), 0)
        return density
