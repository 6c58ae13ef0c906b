"""Where the evidence maps point: at the cell, or beside it?

The pointing game (Zhang et al., IJCV 2018) and the energy-based one (Wang et al., CVPR workshops 2020), with
a mask of the cell made from the picture alone.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.spatial import ConvexHull

from training.data.view import view_slice
from training.evaluation import measures
from training.evaluation.intervals import Bootstrap, Estimate
from training.evaluation.measures import Floats, Mask

CENTRE = 1 / 8  # of the side: how far from the middle the nearest part of the cell may lie
SIZES = (0.01, 0.6)  # share of the view that a cell takes; what is smaller or larger is none


@dataclass(frozen=True)
class Pointing:
    """Where the evidence of one cell's class lies.

    Attributes:
        peak_inside: whether the middle of its strongest square is in the cell.
        peak_by_chance: the share of the squares' middles that are.
        share_inside: of the positive evidence, the share on the cell.
        share_by_chance: the share of the squares' area that is cell.
        offset: rows and columns, in squares, from the cell's centre to that of the positive evidence.
    """

    peak_inside: bool
    peak_by_chance: float
    share_inside: float
    share_by_chance: float
    offset: tuple[float, float]


@dataclass(frozen=True)
class EvidenceScores:
    """Means of Pointing over the correctly named cells whose outline could be found."""

    right: int
    checked: int
    peak_inside: Estimate
    peak_by_chance: Estimate
    share_inside: Estimate
    share_by_chance: Estimate
    offset: tuple[Estimate, Estimate]


def cell_mask(picture: NDArray[np.uint8]) -> Mask | None:
    """The cell in the middle of a picture uint8 [S,S,3]: bool [S,S]; None where none can be told apart.

    The green channel's optical density parts glass, red cells with pale cytoplasm, and nuclei with platelets.
    The mask is the last of these near the middle and what lies between its lobes: rather less than the cell,
    as pale cytoplasm around it is left out, and so a strict judge.
    """
    side, view = len(picture), view_slice(len(picture))
    green = ndimage.gaussian_filter(picture[view, view, 1].astype(float), side / 110)
    density = -np.log((green + 1) / 256)
    if np.ptp(density) < 0.05:
        return None
    stained = ndimage.binary_opening(density > upper_otsu_threshold(density), iterations=max(1, side // 75))
    parts, _ = ndimage.label(stained)
    rows, columns = np.indices(parts.shape) - (len(parts) - 1) / 2
    near = np.unique(parts[stained & (np.hypot(rows, columns) < CENTRE * side)])
    cell = np.isin(parts, near)
    if not SIZES[0] < cell.mean() < SIZES[1] or _touches_edge(cell):
        return None
    points = np.argwhere(cell) + view.start
    outline = points[ConvexHull(points).vertices]
    drawn = Image.new("1", (side, side))
    ImageDraw.Draw(drawn).polygon([(int(column), int(row)) for row, column in outline], fill=1)
    return np.asarray(drawn)


def upper_otsu_threshold(values: Floats, bins: int = 64) -> float:
    """The upper of the two thresholds that part `values` into three groups, most apart (Otsu 1979)."""
    counts, edges = np.histogram(values, bins)
    centres = (edges[:-1] + edges[1:]) / 2
    number = np.concatenate([[0], np.cumsum(counts)])
    total = np.concatenate([[0], np.cumsum(counts * centres)])

    def spread(first: NDArray[np.int64], last: NDArray[np.int64]) -> Floats:
        """What the group of the bins first..last-1 adds to the variance between groups."""
        between: Floats = (total[last] - total[first]) ** 2 / np.maximum(number[last] - number[first], 1)
        return between

    low, high = np.triu_indices(bins, 1)
    low, high = low[low > 0], high[low > 0]
    between = spread(np.zeros_like(low), low) + spread(low, high) + spread(high, np.full_like(high, bins))
    return float(edges[high[np.argmax(between)]])


def pointing(evidence: Floats, cell: Mask) -> Pointing | None:
    """Of evidence [h,w] for one class over a picture with a cell bool [S,S]; None where none is positive.

    Chance is that of a map which picks among the squares of the view, as there is no evidence outside it.
    """
    height, width = evidence.shape
    positive = np.maximum(evidence, 0)
    if positive.sum() <= 0:
        return None
    side = len(cell)
    share = cell.reshape(height, side // height, width, side // width).mean(axis=(1, 3))
    rows, columns = ((np.arange(count) + 0.5) * side / count for count in (height, width))
    middle = cell[np.ix_(rows.astype(int), columns.astype(int))]
    view = view_slice(side)
    seen = np.outer(*((view.start <= at) & (at < view.stop) for at in (rows, columns)))
    centre = np.argwhere(cell).mean(axis=0) + 0.5
    heavy = np.array([positive.sum(axis=1) @ rows, positive.sum(axis=0) @ columns]) / positive.sum()
    offset = (heavy - centre) / (side / height, side / width)
    return Pointing(
        peak_inside=bool(middle.flat[np.argmax(evidence)]),
        peak_by_chance=float(middle[seen].mean()),
        share_inside=float((positive * share).sum() / positive.sum()),
        share_by_chance=float(share[seen].mean()),
        offset=(float(offset[0]), float(offset[1])),
    )


def summarise(found: list[Pointing | None], right: Mask, bootstrap: Bootstrap) -> EvidenceScores:
    """Means over the images in `right` [N] of what `found` has for them, None where no cell was found."""
    among = right & np.array([one is not None for one in found])
    nothing = Pointing(False, 0, 0, 0, (0, 0))
    each = [one or nothing for one in found]

    def mean(values: list[float]) -> Estimate:
        return bootstrap.estimate(partial(measures.mean, np.array(values), among))

    return EvidenceScores(
        right=int(right.sum()),
        checked=int(among.sum()),
        peak_inside=bootstrap.share(np.array([one.peak_inside for one in each]), among),
        peak_by_chance=mean([one.peak_by_chance for one in each]),
        share_inside=mean([one.share_inside for one in each]),
        share_by_chance=mean([one.share_by_chance for one in each]),
        offset=(mean([one.offset[0] for one in each]), mean([one.offset[1] for one in each])),
    )


def _touches_edge(cell: Mask) -> bool:
    return bool(cell[0].any() or cell[-1].any() or cell[:, 0].any() or cell[:, -1].any())
